import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  box,
  checkEnv,
  loadEnvFactory,
  makeEnvFactory,
  RUNNING,
  TERMINATED,
  TRUNCATED,
} from '../../../src/envs/index.js'
import { ActionSampler } from '../../../src/envs/check/sampler.js'
import { LIMIT, Sound, SoundChoices } from './sound.js'

for (const make of [() => new Sound(), () => new SoundChoices()]) {
  test(`nothing is found in the ${make().spec.id} environment`, async () => {
    const report = await checkEnv(make, { episodes: 4, seed: 7 })
    assert.deepEqual(report.findings, [])
    assert.deepEqual(report.notes, [])
    assert.equal(report.restoredBy, 'saveState')
    assert.deepEqual(report.spec, make().spec)
    assert.ok(report.stepsPerSecond! > 0)
    assert.equal(report.episodes.length, 4)
    assert.equal(new Set(report.episodes.map(({ seed }) => seed)).size, 4)
    for (const { steps, end, returns } of report.episodes) {
      assert.equal(steps, LIMIT)
      assert.equal(end, 'truncated')
      assert.equal(returns.length, 2)
      assert.ok(returns[0] < 0 && returns[0] === returns[1])
    }
  })
}

test('a report depends on the seed', async () => {
  const course = async (seed: number) => (await checkEnv(() => new Sound(), { seed })).episodes
  assert.deepEqual(await course(3), await course(3))
  assert.notDeepEqual(await course(3), await course(4))
})

test('an environment without saveState is restored by replay, and a note reports it', async () => {
  class Plain extends Sound {
    override saveState = undefined as never
    override loadState = undefined as never
  }
  const { findings, notes, restoredBy } = await checkEnv(() => new Plain())
  assert.deepEqual(findings, [])
  assert.equal(restoredBy, 'replay')
  assert.match(notes.join(), /no saveState: training restores a step by repeating the episode/)
})

test('with a single environment, all rules but the comparison with a second one are checked', async () => {
  const { findings, notes, episodes } = await checkEnv(new Sound())
  assert.deepEqual(findings, [])
  assert.equal(episodes.length, 3)
  assert.match(notes.join(), /two environments were not compared/)
})

test('an environment whose reset takes no seed may have only one episode', async () => {
  class OneStart extends Sound {
    override reset(): void {
      super.reset(1)
    }
  }
  assert.deepEqual((await checkEnv(() => new OneStart())).findings, [])
})

test('an environment may occasionally terminate at its time limit', async () => {
  class Ends extends Sound {
    override step(): number {
      const end = super.step()
      return end === TRUNCATED && this.x[0] > 0 ? TERMINATED : end
    }
  }
  const { findings, episodes } = await checkEnv(() => new Ends(), { episodes: 8 })
  assert.deepEqual(findings, [])
  assert.deepEqual(new Set(episodes.map(({ end }) => end)), new Set(['terminated', 'truncated']))
})

test('every exception is reported once', async () => {
  class Fragile extends Sound {
    override step(): number {
      for (const action of this.actions) if (Math.abs(action[0]) > 0.5) throw new RangeError('too far')
      if (this.steps === 4) throw new TypeError('oops')
      return super.step()
    }
    override reset(seed: number): void {
      if (seed % 2 === 1) throw new Error('an odd seed')
      super.reset(seed)
    }
    dispose(): void {
      throw new Error('stuck')
    }
  }
  const { findings } = await checkEnv(() => new Fragile(), { episodes: 8 })
  assert.deepEqual(
    findings.map(({ rule, message }) => `${rule} ${/threw (\w+: [\w ]+)/.exec(message)![1]}`).sort(),
    ['throws Error: an odd seed', 'throws Error: stuck', 'throws TypeError: oops'],
  )
})

test('after an exception in one episode, the others are still checked', async () => {
  class Odd extends Sound {
    override reset(seed: number): void {
      if (seed % 2 === 1) throw new Error('an odd seed')
      super.reset(seed)
      this.state[0] = NaN
    }
    override saveState = undefined as never
    override loadState = undefined as never
  }
  const { findings, episodes } = await checkEnv(() => new Odd(), { episodes: 8 })
  assert.deepEqual(new Set(findings.map(({ rule }) => rule)), new Set(['finite', 'throws']))
  assert.ok(episodes.length > 0 && episodes.every(({ seed }) => seed % 2 === 0))
})

test('constant observation elements are noted, but not those that distinguish agents', async () => {
  class Padded extends Sound {
    override readonly spec = {
      ...new Sound().spec,
      agents: ['left', 'right'].map((id) => ({ id, observation: box(8, -3, 3), action: box(1, -0.5, 0.5) })),
    }
    override observations = [new Float32Array(8), new Float32Array(8)]
    protected override publish(): void {
      super.publish()
      for (let agent = 0; agent < 2; agent++) {
        this.observations[agent][2 + agent] = 1
        this.observations[agent].fill(3, 5, 7)
      }
    }
  }
  const { findings, notes } = await checkEnv(() => new Padded())
  assert.deepEqual(findings, [])
  assert.deepEqual(notes, [
    '[4..7] of observations[0], observations[1] never changed in 36 steps of random actions',
  ])
})

test('the stages of a check are reported', async () => {
  const stages: string[] = []
  await checkEnv(() => new Sound(), { episodes: 2, progress: (stage) => stages.push(stage) })
  assert.equal(stages[0], 'making an environment')
  assert.equal(stages[1], 'episode 1 of 2, reset')
  assert.ok(stages.includes('episode 2 of 2, step 12'))
  assert.equal(stages.at(-1), 'allocation')
})

test('an episode may end in its initial state', async () => {
  class Returns extends Sound {
    override reset(): void {
      super.reset(1)
      this.x.fill(0)
      this.publish()
    }
    override step(): number {
      const end = super.step()
      if (end !== RUNNING) this.x.fill(0)
      this.publish()
      return end
    }
  }
  assert.deepEqual((await checkEnv(() => new Returns())).findings, [])
})

test('a time limit that is too long to reach is noted', async () => {
  class Long extends Sound {
    override readonly spec = { ...new Sound().spec, timeLimit: 6000 }
    override step(): number {
      this.steps = 0
      return super.step()
    }
  }
  const { findings, notes, episodes } = await checkEnv(() => new Long(), { episodes: 1 })
  assert.deepEqual(findings, [])
  assert.deepEqual(notes, ['the time limit of 6000 was not reached: episodes are stopped after 5000 steps'])
  assert.deepEqual([episodes[0].steps, episodes[0].end], [5000, 'running'])
})

test('environments of a factory that loads a module are checked like any other', async () => {
  const id = fileURLToPath(new URL('../../training/fixtures/team.js', import.meta.url))
  const { findings, restoredBy } = await checkEnv(await loadEnvFactory({ id }))
  assert.deepEqual(
    findings.map(({ rule }) => rule),
    ['narrow-input', 'allocation'],
  )
  assert.match(findings[1].message, /team\.js:\d+/)
  assert.equal(restoredBy, 'saveState')
})

test('boxed numbers, short episodes and temporaries removed by the engine do not count as allocation', async () => {
  class Numbers extends Sound {
    private speed = 0.1
    override step(): number {
      const end = super.step()
      for (const x of this.x) this.speed = mix(this.speed, x, 0.5, 5)
      const { x, y } = { x: this.speed, y: this.x[0] }
      if (x === y) throw new Error('never')
      return end === RUNNING && this.steps >= 3 ? TERMINATED : end
    }
    override reset(seed: number): void {
      this.speed = 0.1
      super.reset(seed)
    }
    override saveState = undefined as never
    override loadState = undefined as never
  }
  assert.deepEqual((await checkEnv(() => new Numbers())).findings, [])
})

/** Recursive, so that the engine cannot inline it and has to box its arguments. */
function mix(a: number, b: number, c: number, depth: number): number {
  return depth === 0 ? a * 0.5 + b : mix(b * 0.25 + c, a * 0.125, c, depth - 1)
}

test('built-in environments have no faults', async () => {
  for (const id of [
    'mamujoco/HalfCheetah-2x3',
    'mamujoco/Ant-4x2',
    'mamujoco/Reacher-2x1',
    'mamujoco/Hopper-3x1',
  ]) {
    const { findings, notes } = await checkEnv(makeEnvFactory({ id }), { episodes: 2 })
    assert.deepEqual(findings, [], id)
    assert.deepEqual(notes, [])
  }
})

test('random actions fill their spaces and nothing else', () => {
  const sampler = new ActionSampler(5)
  sampler.restart(0)
  const env = new SoundChoices()
  env.reset(1)
  env.availableActions[0].set([1, 0, 1])
  const drawn = new Set<number>()
  for (let k = 0; k < 100; k++) {
    sampler.fill(env)
    drawn.add(env.actions[0][0])
  }
  assert.deepEqual(
    [...drawn].sort((a, b) => a - b),
    [0, 2],
  )

  const walkers = new Sound()
  const within: number[] = []
  const beyond: number[] = []
  for (let k = 0; k < 1000; k++) {
    sampler.fill(walkers)
    within.push(walkers.actions[1][0])
    sampler.fillBeyond(walkers)
    beyond.push(walkers.actions[1][0])
  }
  assert.ok(within.every((u) => u >= -0.5 && u <= 0.5))
  assert.ok(Math.min(...within) < -0.49 && Math.max(...within) > 0.49)
  // Up to a width beyond either bound.
  assert.ok(beyond.every((u) => u >= -1.5 && u <= 1.5))
  assert.ok(Math.min(...beyond) < -1.4 && Math.max(...beyond) > 1.4)
})

test('wrong options are refused by name', async () => {
  const refused = (options: object) => checkEnv(() => new Sound(), options)
  await assert.rejects(refused({ episodes: 0 }), {
    message: 'episodes is 0: it must be a whole number from 1',
    exitCode: 2,
  })
  await assert.rejects(refused({ seed: -1 }), /^HatrpoError: seed is -1: it must be a whole number from 0/)
})
