import { RUNNING, type MultiAgentEnv } from '../contract.js'
import { type NamedView, outputViews, seenViews } from './views.js'

/** Largest memory of a trace; later steps are not compared. */
const LARGEST_TRACE_BYTES = 1 << 26

/** Outputs of an environment after a reset or a step. */
interface Frame {
  readonly end: number
  readonly views: readonly NamedView[]
}

/** Trace of an episode: its views at the start and after each step. */
export class Trace {
  readonly seed: number
  /** Number of the stream of actions. */
  readonly actions: number
  readonly #frames: Frame[] = []
  #bytes = 0

  constructor(seed: number, actions: number) {
    this.seed = seed
    this.actions = actions
  }

  /** Steps that can be compared. */
  get steps(): number {
    return this.#frames.length - 1
  }

  /** Records the views of an environment; frames are recorded in order, the first after the reset. */
  keep(env: MultiAgentEnv, end: number): void {
    if (this.#bytes > LARGEST_TRACE_BYTES) return
    const views = outputViews(env).map(({ name, view }) => ({ name, view: view.slice() }))
    for (const { view } of views) this.#bytes += view.byteLength
    this.#frames.push({ end, views })
  }

  /**
   * Difference between an environment and the trace after a step (0: after the reset).
   * @returns the quantity with both values, or undefined
   */
  difference(env: MultiAgentEnv, end: number, step: number): string | undefined {
    const frame = this.#frames[step]
    if (end !== frame.end) return `step ${step} returned ${end}, not ${frame.end}`
    // Rewards are a step's; before the first there are none.
    return compare(step === 0 ? seenViews(env) : outputViews(env), frame.views, step)
  }

  /** The same for a state that was loaded: rewards are of the step before, and need not be restored. */
  seenDifference(env: MultiAgentEnv, step: number): string | undefined {
    return compare(seenViews(env), this.#frames[step].views, step)
  }

  /** Whether the episode ended in its initial state after other states. */
  endsWhereItBegan(): boolean {
    const [start, second] = this.#frames
    const last = this.#frames[this.#frames.length - 1]
    if (this.#frames.length < 3 || last.end === RUNNING) return false
    const seen = (frame: Frame) => frame.views.filter(({ name }) => name !== 'rewards')
    return (
      compare(seen(last), start.views, 0) === undefined && compare(seen(second), start.views, 0) !== undefined
    )
  }
}

function compare(now: readonly NamedView[], then: readonly NamedView[], step: number): string | undefined {
  for (const { name, view } of now) {
    const kept = then.find((other) => other.name === name)?.view
    const when = step === 0 ? 'after reset' : `after step ${step}`
    if (kept?.length !== view.length)
      return `${name} has ${view.length} entries ${when}, not ${kept?.length ?? 0}`
    for (let i = 0; i < view.length; i++) {
      if (!Object.is(view[i], kept[i])) return `${name}[${i}] is ${view[i]} ${when}, not ${kept[i]}`
    }
  }
  return undefined
}
