import { RUNNING, TERMINATED, TRUNCATED, type MultiAgentEnv } from '../contract.js'
import { findDifferenceFromState } from '../observes-state.js'
import type { Findings } from './finding.js'
import { choices } from './sampler.js'
import { allViews, identities, type NamedView, outputViews } from './views.js'

/** Checks after every reset and every step. */
export class StepChecks {
  readonly #env: MultiAgentEnv
  readonly #findings: Findings
  readonly #objects: readonly { name: string; object: unknown }[]
  readonly #sizes: ReadonlyMap<string, number>

  constructor(env: MultiAgentEnv, findings: Findings) {
    this.#env = env
    this.#findings = findings
    this.#objects = identities(env)
    this.#sizes = new Map(allViews(env).map(({ name, view }) => [name, view.length]))
  }

  /** @param when `after reset(5)` or `at step 3` */
  afterReset(when: string): void {
    const env = this.#env
    this.#checkObjects(when)
    const views = outputViews(env).filter(({ name }) => name !== 'rewards')
    this.#checkNumbers(views, when)
    this.#checkChoices(when)
  }

  /** @param end what `step` returned */
  afterStep(end: unknown, when: string): void {
    this.#checkObjects(when)
    this.#checkEnd(end, when)
    this.#checkNumbers(outputViews(this.#env), when)
    this.#checkRewards(when)
    if (end === RUNNING) this.#checkChoices(when)
  }

  #checkObjects(when: string): void {
    const now = identities(this.#env)
    for (let i = 0; i < this.#objects.length; i++) {
      const { name, object } = this.#objects[i]
      if (now[i]?.object !== object) {
        const how = `${name} is another object ${when}: make it once, in the constructor, and write into it`
        this.#findings.add('view-replaced', how)
        continue
      }
      // A view of a WebAssembly memory loses its numbers when the memory grows.
      const size = this.#sizes.get(name)
      if (size !== undefined && (object as NamedView['view']).length !== size) {
        const how = `${name} lost its memory ${when}: do not return views of a memory that can grow`
        this.#findings.add('view-replaced', how)
      }
    }
  }

  #checkEnd(end: unknown, when: string): void {
    if (end === RUNNING || end === TERMINATED || end === TRUNCATED) return
    const promise = typeof (end as PromiseLike<unknown> | undefined)?.then === 'function'
    const what = promise ? 'a promise' : typeof end === 'number' ? `${end}` : typeof end
    const right = `return ${RUNNING} (running), ${TERMINATED} (terminated) or ${TRUNCATED} (truncated)`
    const how = promise ? 'do its work before it returns, and ' : ''
    this.#findings.add('step-result', `step returned ${what} ${when}: ${how}${right}`)
  }

  #checkNumbers(views: readonly NamedView[], when: string): void {
    for (const { name, view } of views) {
      for (let i = 0; i < view.length; i++) {
        if (Number.isFinite(view[i])) continue
        const how = `${name}[${i}] is ${view[i]} ${when}: look for a division by 0, a root of a negative number or an overflow`
        this.#findings.add('finite', how, name.replace(/\[.*/, ''))
      }
    }
    this.#checkBounds(when)
    const difference = findDifferenceFromState(this.#env)
    if (difference !== undefined) {
      const how = `${difference} ${when}: fill all observations with the state, or leave observesState out of the spec`
      this.#findings.add('observes-state', how)
    }
  }

  #checkBounds(when: string): void {
    const { spec, observations } = this.#env
    for (let agent = 0; agent < spec.agents.length; agent++) {
      const { low, high } = spec.agents[agent].observation
      for (let i = 0; i < observations[agent].length; i++) {
        const value = observations[agent][i]
        // The bounds as an f32 observation can reach them.
        if (value < Math.fround(low[i]) || value > Math.fround(high[i])) {
          const space = `[${low[i]}, ${high[i]}]`
          const how = `observations[${agent}][${i}] is ${value} ${when}, outside ${space}: widen the space in the spec, or clip`
          this.#findings.add('bounds', how)
        }
      }
    }
  }

  #checkRewards(when: string): void {
    const { spec, rewards } = this.#env
    if (spec.mode !== 'cooperative') return
    const other = rewards.findIndex((reward) => !Object.is(reward, rewards[0]))
    if (other < 0 || !rewards.every(Number.isFinite)) return
    const how = `rewards[0] is ${rewards[0]} and rewards[${other}] is ${rewards[other]} ${when}`
    this.#findings.add(
      'cooperative-reward',
      `${how}: fill them equally, or set spec.mode to 'general' if agents have separate goals`,
    )
  }

  /** Checks active agents and available choices. */
  #checkChoices(when: string): void {
    const { spec, active, availableActions } = this.#env
    if (active !== undefined) {
      const wrong = active.findIndex((flag) => flag > 1)
      if (wrong >= 0) {
        this.#findings.add('active', `active[${wrong}] is ${active[wrong]} ${when}: it must be 0 or 1`)
      } else if (!active.includes(1)) {
        const how = `no agent is active ${when}, but the episode continues: return ${TERMINATED} when the last one leaves`
        this.#findings.add('active', how)
      }
    }
    if (availableActions === undefined) return
    for (let i = 0; i < spec.agents.length; i++) {
      if (active === undefined || active[i] !== 0) this.#checkMask(i, when)
    }
  }

  #checkMask(agent: number, when: string): void {
    const mask = this.#env.availableActions![agent]
    const { id, action } = this.#env.spec.agents[agent]
    const wrong = mask.findIndex((flag) => flag > 1)
    if (wrong >= 0) {
      const how = `availableActions[${agent}][${wrong}] is ${mask[wrong]} ${when}: it must be 0 or 1`
      this.#findings.add('action-mask', how)
    }
    let first = 0
    for (const n of choices(action)) {
      if (!mask.subarray(first, first + n).some((flag) => flag !== 0)) {
        const how = `${id} has no available action among its ${n} ${when}: make one available (such as doing nothing), or make the agent inactive`
        this.#findings.add('action-mask', how)
      }
      first += n
    }
  }
}
