import { HatrpoError } from '../../errors.js'
import { BrokenStepError } from '../broken-step-error.js'
import { RUNNING, TRUNCATED, type EnvSpec } from '../contract.js'
import { EpisodeRecording } from '../recording.js'
import type { ActionWriter } from './actions.js'
import { pythonError, tracebackError } from './failures.js'
import { BROKEN, type StepResult } from './protocol.js'
import { actionSize } from '../shape.js'
import type { Views } from './views.js'

/** Seeds that every random generator of Python and of C takes. */
const SEEDS = 0x80000000

/** An episode up to its present step, for Python to replay. */
export interface Episode {
  readonly seed: number
  readonly steps: number
  /** @returns the actions of a step as Python takes them; overwritten by the next call */
  actionsOf(step: number): Float64Array
}

/** A host's record of one of its environments: the state of its episode, and the step in progress. */
export class Tenant {
  readonly slot: number
  readonly views: Views
  /** The submitted step's, as Python takes them. */
  readonly actions: Float64Array
  readonly #spec: EnvSpec
  readonly #writer: ActionWriter
  /** Actions of the submitted step: all in one array, and views of each agent. */
  readonly #given: Float32Array
  readonly #givenTo: readonly Float32Array[]
  readonly #replayed: Float64Array
  #recording: EpisodeRecording
  /** Whether the process's environment and the views are in the state at the end of the recording. */
  #whole = false
  #playing = false
  #submitted = false
  #result: StepResult | undefined

  constructor(slot: number, spec: EnvSpec, views: Views, writer: ActionWriter) {
    this.slot = slot
    this.views = views
    this.actions = new Float64Array(writer.size)
    this.#spec = spec
    this.#writer = writer
    this.#given = new Float32Array(writer.size)
    let at = 0
    const sizes = spec.agents.map(({ action }) => actionSize(action))
    this.#givenTo = sizes.map((size) => this.#given.subarray(at, (at += size)))
    this.#replayed = new Float64Array(writer.size)
    this.#recording = new EpisodeRecording(sizes)
  }

  get submitted(): boolean {
    return this.#submitted
  }

  /** Whether the result of the submitted step is there. */
  get arrived(): boolean {
    return this.#result !== undefined
  }

  /** The present episode; undefined if there is none to restore. */
  get episode(): Episode | undefined {
    return this.#playing ? this.#episode() : undefined
  }

  get recording(): EpisodeRecording {
    return this.#recording
  }

  /** An episode begins: nothing of the one before counts any more. @returns Python's seed */
  begin(seed: number): number {
    if (!(Number.isSafeInteger(seed) && seed >= 0)) {
      throw new HatrpoError(`seed ${seed}: must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
    }
    this.#forget()
    this.#recording.start(seed)
    return seed % SEEDS
  }

  /** Takes over a recorded episode, which is then to be replayed. @throws HatrpoError when it is of other agents */
  resume(recording: EpisodeRecording): Episode {
    const [own, saved] = [this.#recording, recording].map(({ actionSizes }) => actionSizes.join(', '))
    if (own !== saved) {
      throw new HatrpoError(
        `${this.#spec.id}: its agents' actions have ${own} numbers, and in the saved state they have ${saved}`,
      )
    }
    this.#forget()
    this.#recording = recording
    return this.#episode()
  }

  /** Whether it is in the state at the end of the recording. */
  standsAt(recording: EpisodeRecording): boolean {
    return this.#whole && !this.#submitted && recording.equals(this.#recording)
  }

  /** Shows where a reset or a replay has led. */
  show({ status, views }: { readonly status: number; readonly views: Uint8Array }): void {
    this.views.publish(views)
    this.#whole = true
    this.#playing = status === RUNNING
  }

  /** Takes the actions of the next step. */
  submit(actions: readonly Float32Array[]): void {
    if (!this.#playing)
      throw new HatrpoError(`${this.#spec.id}: no episode is running: reset must come before step`)
    this.#givenTo.forEach((given, i) => given.set(actions[i]))
    this.#writer.write(this.#given, this.actions)
    this.#submitted = true
  }

  /** Takes the result of the submitted step; the views show it when the step is finished. */
  arrive(result: StepResult): void {
    this.#result = result
    this.#whole = false
    this.#playing = result.status === RUNNING
    if ('views' in result) this.#recording.add(this.#givenTo)
  }

  /** Whether these views are those at the present step of the running episode. */
  recognises(views: Uint8Array): boolean {
    if (this.#result === undefined) return this.views.equals(views)
    return 'views' in this.#result && Buffer.compare(this.#result.views, views) === 0
  }

  /** Shows the result of the submitted step. @returns RUNNING, TERMINATED or TRUNCATED */
  finish(): number {
    const result = this.#result!
    this.#result = undefined
    this.#submitted = false
    const { id } = this.#spec
    if ('failure' in result) {
      const { message, trace } = result.failure
      if (result.status !== BROKEN) throw pythonError(id, result.failure)
      throw new BrokenStepError(id, message, trace === '' ? {} : { cause: tracebackError(message, trace) })
    }
    this.views.publish(result.views)
    this.#whole = true
    if (result.status === TRUNCATED) this.#expectLimit()
    return result.status
  }

  // The buffer for final states of truncated episodes is allocated in advance for their largest number.
  #expectLimit(): void {
    const { id, timeLimit, truncatesAfter = timeLimit } = this.#spec
    if (this.#recording.steps >= truncatesAfter) return
    throw new HatrpoError(
      `${id} truncated an episode after ${this.#recording.steps} steps, before its declared time limit of ` +
        `${timeLimit}: set env.timeLimit to the correct one, or to 0 if it varies`,
    )
  }

  #forget(): void {
    this.#whole = false
    this.#playing = false
    this.#submitted = false
    this.#result = undefined
  }

  #episode(): Episode {
    const recording = this.#recording
    return {
      seed: recording.seed! % SEEDS,
      steps: recording.steps,
      actionsOf: (step) => {
        this.#writer.write(recording.actionsOf(step), this.#replayed)
        return this.#replayed
      },
    }
  }
}
