import assert from 'node:assert/strict'
import test from 'node:test'
import {
  box,
  checkEnv,
  checkRules,
  RUNNING,
  TERMINATED,
  TRUNCATED,
  type CheckOptions,
  type CheckRule,
  type MultiAgentEnv,
} from '../../../src/envs/index.js'
import { LIMIT, Sound, SoundChoices } from './sound.js'

/** The spec of the sound environment with other values. */
const specWith = (changes: object) => ({ ...new Sound().spec, ...changes })

/** A property of an environment that nothing writes to any more. */
function fixed(env: object, name: string, value: unknown): void {
  Object.defineProperty(env, name, { value, writable: false })
}

/** One broken environment: the rule that it breaks, the expected message, and the function that makes it. */
interface Broken {
  readonly rule: CheckRule
  readonly name: string
  readonly says: RegExp
  readonly make: () => MultiAgentEnv
  readonly options: CheckOptions
}

const broken: Broken[] = []

function breaks(
  rule: CheckRule,
  name: string,
  says: RegExp,
  make: () => MultiAgentEnv,
  options: CheckOptions = {},
): void {
  broken.push({ rule, name, says, make, options })
}

breaks('spec', 'no time limit', /spec\.timeLimit is undefined: it must be a number of steps/, () => {
  const env = new Sound()
  fixed(env, 'spec', specWith({ timeLimit: undefined }))
  return env
})

breaks('spec', 'two agents of one name', /spec\.agents\[1\]\.id is "left", as another agent's is/, () => {
  const env = new Sound()
  const [left] = env.spec.agents
  fixed(env, 'spec', specWith({ agents: [left, left] }))
  return env
})

breaks('shape', 'a state of another length', /state has 2 numbers: it must have 3/, () => {
  const env = new Sound()
  env.state = new Float32Array(2)
  return env
})

breaks(
  'spec',
  'a state that agents cannot observe',
  /spec\.observesState is true, but "left" observes 2 numbers and the state has 3: leave observesState out/,
  () => {
    const env = new Sound()
    fixed(env, 'spec', specWith({ observesState: true }))
    return env
  },
)

class Seer extends Sound {
  override readonly spec = specWith({
    agents: new Sound().spec.agents.map((agent) => ({ ...agent, observation: box(3, -2, 2) })),
    observesState: true,
  })
  override observations = [new Float32Array(3), new Float32Array(3)]
  override publish(): void {
    super.publish()
    this.observations[0].set(this.state)
    this.observations[1].set(this.state)
    if (this.steps > 0) this.observations[1][2] /= 2
  }
}

breaks(
  'observes-state',
  'an observation that is the state when an episode starts, and then another',
  /observations\[1\]\[2\] is \S+ and state\[2\] is \S+ at step 1 [^\n]*: fill all observations with the state, or leave/,
  () => new Seer(),
)

breaks(
  'shape',
  'numbers of another type',
  /observations\[1\] is Float64Array: it must be a Float32Array of 2/,
  () => {
    const env = new Sound()
    env.observations[1] = new Float64Array(2) as unknown as Float32Array
    return env
  },
)

breaks(
  'shape',
  'saveState without loadState',
  /it has saveState but no loadState: give both, or neither/,
  () => {
    const env = new Sound()
    fixed(env, 'loadState', undefined)
    return env
  },
)

breaks(
  'aliasing',
  'two agents that share one observation',
  /observations\[0\] and observations\[1\] share memory: make/,
  () => {
    const env = new Sound()
    const buffer = new Float32Array(3)
    env.observations = [buffer.subarray(0, 2), buffer.subarray(1, 3)]
    return env
  },
)

breaks(
  'narrow-input',
  'a state of two numbers',
  /^state has 2 numbers, .* critic\.standardise .*: the critic sees only which is larger; set critic\.standardise=false/,
  () => {
    const env = new Sound()
    fixed(env, 'spec', specWith({ stateSize: 2 }))
    fixed(env, 'state', new Float32Array(2))
    return env
  },
)

breaks('aliasing', 'actions on top of the state', /state and actions\[0\] share memory/, () => {
  const env = new Sound()
  env.actions[0] = new Float32Array(env.state.buffer, 4, 1)
  return env
})

breaks('aliasing', 'an observation that is the state', /observations\[0\] and state share memory/, () => {
  const env = new Sound()
  env.observations[0] = env.state.subarray(0, 2)
  return env
})

const sharedState = new Float32Array(3)
breaks('aliasing', 'two environments with one state', /two environments share the memory of state/, () => {
  const env = new Sound()
  env.state = sharedState
  return env
})

breaks('throws', 'a step that throws', /step 5 of the episode of seed \d+ threw TypeError: oops/, () => {
  return new (class extends Sound {
    override step(): number {
      if (this.steps === 4) throw new TypeError('oops')
      return super.step()
    }
  })()
})

breaks('throws', 'seeds of 32 bits only', /reset\(\d+\) threw RangeError/, () => {
  return new (class extends Sound {
    override reset(seed: number): void {
      if (seed >= 2 ** 32) throw new RangeError('seed out of range')
      super.reset(seed)
    }
  })()
})

breaks(
  'no-reward',
  'rewards in an array of its own',
  /all rewards are 0 in 36 steps of random actions: fill/,
  () => {
    return new (class extends Sound {
      override step(): number {
        const end = super.step()
        this.rewards.fill(0)
        return end
      }
    })()
  },
)

breaks(
  'constant',
  'a state of the past',
  /^state never changed in 36 steps of random actions: publish it/,
  () => {
    return new (class extends Sound {
      protected override publish(): void {
        super.publish()
        this.state.fill(1)
      }
    })()
  },
)

/** Its agents' own rewards: what one gains the other loses. */
class Rivals extends Sound {
  override readonly spec = specWith({ mode: 'general' })
  override step(): number {
    const end = super.step()
    this.rewards.set([this.x[0], -this.x[0]])
    return end
  }
}

breaks(
  'opposed-rewards',
  'rivals with one reward',
  /in \d+ of \d+ rewarded steps some agents gain and others lose \(0\.\d+ to \w+ and -0\.\d+ to \w+ at step 1\), and all get one reward: set env\.rewards=each/,
  () => new Sound(),
  { ownRewards: () => new Rivals() },
)

breaks(
  'view-replaced',
  'a new state each step',
  /state is another object after reset\(\d+\): make it once/,
  () => {
    return new (class extends Sound {
      protected override publish(): void {
        this.state = new Float32Array(3)
        super.publish()
      }
    })()
  },
)

breaks('view-replaced', 'a new list of observations', /observations is another object at step 3/, () => {
  return new (class extends Sound {
    override step(): number {
      if (this.steps === 2) this.observations = [...this.observations]
      return super.step()
    }
  })()
})

breaks('finite', 'NaN in an observation', /observations\[1\]\[0\] is NaN at step 7/, () => {
  return new (class extends Sound {
    protected override publish(): void {
      super.publish()
      if (this.steps === 7) this.observations[1][0] = NaN
    }
  })()
})

breaks('finite', 'an infinite reward', /rewards\[0\] is -Infinity at step 3/, () => {
  return new (class extends Sound {
    override step(): number {
      const end = super.step()
      if (this.steps === 3) this.rewards.fill(-Infinity)
      return end
    }
  })()
})

breaks(
  'bounds',
  'an observation above its bound',
  /observations\[0\]\[1\] is 1\.5 after reset\(\d+\), outside \[-1, 1\]: widen/,
  () => {
    return new (class extends Sound {
      protected override publish(): void {
        super.publish()
        this.observations[0][1] = 1.5
      }
    })()
  },
)

breaks(
  'step-result',
  'a step without a result',
  /step returned undefined at step 1 .*: return 0 \(running\), 1 \(terminated\) or 2/,
  () => {
    return new (class extends Sound {
      override step(): number {
        super.step()
        return undefined as unknown as number
      }
    })()
  },
)

breaks(
  'step-result',
  'an asynchronous step',
  /step returned a promise at step 1 .*: do its work before it returns/,
  () => {
    const env = new Sound()
    const step = env.step.bind(env)
    env.step = (async () => step()) as unknown as () => number
    return env
  },
)

breaks(
  'cooperative-reward',
  'rewards of their own',
  /rewards\[0\] is \S+ and rewards\[1\] is 5 at step 1 .*general/,
  () => {
    return new (class extends Sound {
      override step(): number {
        const end = super.step()
        this.rewards[1] = 5
        return end
      }
    })()
  },
)

breaks('action-mask', 'no choice left', /right has no available action among its 3 at step 4/, () => {
  return new (class extends SoundChoices {
    protected override publish(): void {
      super.publish()
      if (this.steps === 4) this.availableActions[1].fill(0)
    }
  })()
})

breaks('active', 'nobody plays', /no agent is active at step 6 .*return 1 when the last one leaves/, () => {
  return new (class extends SoundChoices {
    protected override publish(): void {
      super.publish()
      if (this.steps >= 6) this.active.fill(0)
    }
  })()
})

breaks(
  'time-limit',
  'an early end',
  /step 12 returned 2 \(truncated\) and spec\.timeLimit is 50: set spec\.timeLimit to 12/,
  () => {
    const env = new Sound()
    fixed(env, 'spec', specWith({ timeLimit: 50 }))
    return env
  },
)

breaks(
  'time-limit',
  'a late end',
  /step 5 returned 0 \(running\) and spec\.timeLimit is 5: return 2 from that step on/,
  () => {
    const env = new Sound()
    fixed(env, 'spec', specWith({ timeLimit: 5 }))
    return env
  },
)

breaks(
  'time-limit',
  'an end one step late',
  /step 11 returned 0 \(running\) and spec\.timeLimit is 11/,
  () => {
    const env = new Sound()
    fixed(env, 'spec', specWith({ timeLimit: 11 }))
    return env
  },
)

breaks(
  'time-limit',
  'a limit that the spec does not know',
  /step 12 returned 2 \(truncated\) and spec\.timeLimit is Infinity/,
  () => {
    const env = new Sound()
    fixed(env, 'spec', specWith({ timeLimit: Infinity }))
    return env
  },
)

breaks(
  'time-limit',
  'TERMINATED for TRUNCATED',
  /all 3 episodes that came to step 12, the time limit, returned 1/,
  () => {
    return new (class extends Sound {
      override step(): number {
        return super.step() === RUNNING ? RUNNING : TERMINATED
      }
    })()
  },
)

breaks(
  'endless',
  'no end at all',
  /no episode ended within 5000 steps and spec\.timeLimit is Infinity/,
  () => {
    return new (class extends Sound {
      override readonly spec = specWith({ timeLimit: Infinity })
      override step(): number {
        this.steps = 0
        return super.step()
      }
    })()
  },
)

breaks(
  'final-views',
  'a reset within step',
  /after step 12, which ended the episode of seed \d+, the views hold its first/,
  () => {
    return new (class extends Sound {
      // There is more to save than the base class knows.
      override saveState = undefined as never
      override loadState = undefined as never
      private seed = 0
      override reset(seed: number): void {
        this.seed = seed
        super.reset(seed)
      }
      override step(): number {
        const end = super.step()
        if (end === RUNNING) return end
        this.reset(this.seed)
        return end
      }
    })()
  },
)

breaks('step-after-end', 'an episode that continues', /step after the end of an episode returned 0/, () => {
  return new (class extends Sound {
    private made = 0
    override reset(seed: number): void {
      this.made = 0
      super.reset(seed)
    }
    override step(): number {
      this.steps = 0
      super.step()
      this.made++
      return this.made === LIMIT ? TRUNCATED : RUNNING
    }
    override saveState(): Uint8Array {
      this.steps = this.made
      return super.saveState()
    }
    override loadState(saved: Uint8Array): void {
      super.loadState(saved)
      this.made = this.steps
    }
  })()
})

breaks(
  'unclipped-action',
  'a step that refuses',
  /step \d+ threw RangeError: action .* for actions beyond their bounds: .*clip within step/,
  () => {
    return new (class extends Sound {
      override step(): number {
        for (const action of this.actions) {
          if (Math.abs(action[0]) > 0.5) throw new RangeError(`action ${action[0]}`)
        }
        return super.step()
      }
    })()
  },
)

breaks(
  'unclipped-action',
  'a root of a negative number',
  /gave a number that is not finite for actions beyond/,
  () => {
    return new (class extends Sound {
      override step(): number {
        const end = super.step()
        this.rewards.fill(this.rewards[0] + Math.sqrt(0.5 + this.actions[0][0]))
        return end
      }
    })()
  },
)

breaks(
  'determinism',
  'noise from Math.random',
  /run again with the same actions on the same environment, differs: .* after step 1, not/,
  () => {
    return new (class extends Sound {
      override step(): number {
        this.x[0] += 1e-9 * Math.random()
        const end = super.step()
        this.rewards.fill(Math.random())
        return end
      }
    })()
  },
)

breaks('determinism', 'what reset leaves standing', /on the same environment, differs: rewards\[0\]/, () => {
  return new (class extends Sound {
    private total = 0
    override step(): number {
      const end = super.step()
      this.total += 1
      this.rewards.fill(this.total)
      return end
    }
  })()
})

let instances = 0
breaks(
  'determinism',
  'a count of environments',
  /on a second environment, differs: rewards\[0\] is \d+ after step 1/,
  () => {
    return new (class extends Sound {
      private readonly number = ++instances
      override step(): number {
        const end = super.step()
        this.rewards.fill(this.number)
        return end
      }
    })()
  },
)

const sharedNumbers = { x: 0 }
breaks(
  'shared-state',
  'a variable of the module',
  /two environments stepped in turns differ from each one alone: /,
  () => {
    return new (class extends Sound {
      override reset(seed: number): void {
        super.reset(seed)
        sharedNumbers.x = this.x[0]
      }
      override step(): number {
        sharedNumbers.x *= 0.5
        const end = super.step()
        this.rewards.fill(sharedNumbers.x)
        return end
      }
      // It takes part in the saved state, so that restoring is not wrong as well.
      override saveState(): Uint8Array {
        return Uint8Array.from([
          ...super.saveState(),
          ...new Uint8Array(Float64Array.of(sharedNumbers.x).buffer),
        ])
      }
      override loadState(saved: Uint8Array): void {
        const end = saved.length - 8
        super.loadState(saved.slice(0, end))
        sharedNumbers.x = new Float64Array(saved.slice(end).buffer)[0]
      }
    })()
  },
)

breaks(
  'seed-ignored',
  'one start for all seeds',
  /the seeds (\d+, ){4}\d+ give the same episode: draw the start from the seed/,
  () => {
    return new (class extends Sound {
      override reset(_seed: number): void {
        super.reset(1)
      }
    })()
  },
)

breaks(
  'save-state',
  'a forgotten counter',
  /loaded into an environment that never ran, does not bring it back: step 12 returned 0, not 2/,
  () => {
    return new (class extends Sound {
      override loadState(saved: Uint8Array): void {
        const { steps } = this
        super.loadState(saved)
        this.steps = steps === LIMIT ? 6 : steps
      }
    })()
  },
)

breaks('save-state', 'a forgotten random stream', /does not bring it back: /, () => {
  return new (class extends Sound {
    override loadState(saved: Uint8Array): void {
      const words = new Uint32Array(11)
      this.random.save(words)
      super.loadState(saved)
      this.random.load(words)
    }
  })()
})

breaks(
  'save-state',
  'views that are not filled',
  /does not bring it back: observations\[0\]\[0\] is .* after step 6, not/,
  () => {
    return new (class extends Sound {
      private loading = false
      override loadState(saved: Uint8Array): void {
        this.loading = true
        super.loadState(saved)
        this.loading = false
      }
      protected override publish(): void {
        if (!this.loading) super.publish()
      }
    })()
  },
)

breaks(
  'save-state',
  'bytes that live on',
  /the bytes that saveState gave at step 6 changed later in the episode: return a copy/,
  () => {
    return new (class extends Sound {
      private readonly numbers = new Float64Array(14)
      override step(): number {
        const end = super.step()
        this.numbers[2] = this.steps
        return end
      }
      override saveState(): Uint8Array {
        this.numbers.set(new Float64Array(super.saveState().buffer))
        return new Uint8Array(this.numbers.buffer)
      }
    })()
  },
)

breaks(
  'save-state',
  'a draw within saveState',
  /after saveState at step 6 the episode goes another way/,
  () => {
    return new (class extends Sound {
      override saveState(): Uint8Array {
        this.random.uniform()
        return super.saveState()
      }
    })()
  },
)

breaks(
  'allocation',
  'a new Float32Array',
  /step allocates \d+ bytes in \d\.\d objects a step, most of it in step/,
  () => {
    return new (class extends Sound {
      kept: Float32Array | undefined
      override step(): number {
        this.kept = new Float32Array(4)
        return super.step()
      }
    })()
  },
)

breaks('throws', 'an error in dispose', /^dispose threw Error: stuck: it must work at any time$/, () => {
  return new (class extends Sound {
    dispose(): void {
      throw new Error('stuck')
    }
  })()
})

breaks(
  'shape',
  'a submit that is no function',
  /^submit is boolean: it must be a function, or left out$/,
  () => {
    return Object.assign(new Sound(), { submit: true as never })
  },
)

breaks('allocation', 'a small object', /step allocates \d+ bytes in 1\.0 objects a step/, () => {
  return new (class extends Sound {
    kept: object | undefined
    override step(): number {
      this.kept = { steps: this.steps }
      return super.step()
    }
  })()
})

for (const { rule, name, says, make, options } of broken) {
  test(`${rule}: ${name}`, async () => {
    const { findings } = await checkEnv(make, options)
    assert.deepEqual(
      findings.map((finding) => `${finding.rule} ${finding.severity}`),
      [`${rule} ${checkRules[rule].severity}`],
      findings.map(({ message }) => message).join('\n'),
    )
    assert.match(findings[0].message, says)
    assert.ok(!findings[0].message.includes('\n'))
  })
}

test('every rule has an environment that breaks it', () => {
  assert.deepEqual(new Set(broken.map(({ rule }) => rule)), new Set(Object.keys(checkRules)))
})
