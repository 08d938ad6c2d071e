import type { CollectResult, CollectTask } from '../messages.js'
import { shareOut } from '../source.js'

/** Milliseconds that ending a task and starting others costs. */
const HANDOVER = 1

/** Share of the cost of moving an environment that is remembered from one rollout to the next. */
const MEMORY = 0.9

/** Link to the workers of a rollout. */
export interface Workers {
  /** i32 [workers]: each worker's steps in its current task. */
  readonly pulses: Int32Array
  /** i32 [workers]: not 0 where a worker is asked to end its task before the next step. */
  readonly stops: Int32Array
  run(task: CollectTask): Promise<CollectResult>
}

/** A task that a worker is at. */
interface Current {
  readonly task: CollectTask
  /** Time. */
  readonly begun: number
}

/**
 * Balance between workers. When one has finished its part of a rollout, the one with most left to do is asked to end, and
 * what remains is shared out among the two. Results do not depend on it, since no environment's do on who steps it.
 */
export class Balance {
  readonly #steps: number
  /** Milliseconds that bringing an environment to another worker took; undefined before the first rollout. */
  #move: number | undefined

  /** @param steps of every environment in a rollout */
  constructor(steps: number) {
    this.#steps = steps
  }

  /** Makes the parts of a rollout. @returns their results; those of the same environments in time */
  async collect(tasks: readonly CollectTask[], workers: Workers): Promise<CollectResult[]> {
    if (this.#move !== undefined) this.#move *= MEMORY
    const course = new BalancedRollout(this.#steps, workers, () => this.#move)
    const results = await course.run(tasks)
    // The first tasks resume work of the same worker, which may be cheaper and gives a lower bound of the cost.
    for (const { time, courses } of results)
      this.#move = Math.max(this.#move ?? 0, time.restore / courses.length)
    return results
  }
}

class BalancedRollout {
  readonly #steps: number
  readonly #workers: Workers
  readonly #move: () => number | undefined
  readonly #results: CollectResult[] = []
  readonly #current = new Map<number, Current>()
  /** Tasks of workers that have nothing to do. */
  readonly #idle: CollectTask[] = []
  /** Worker that is asked to end. */
  #asked: number | undefined

  constructor(steps: number, workers: Workers, move: () => number | undefined) {
    this.#steps = steps
    this.#workers = workers
    this.#move = move
  }

  async run(tasks: readonly CollectTask[]): Promise<CollectResult[]> {
    this.#workers.stops.fill(0)
    await this.#work(tasks)
    return this.#results
  }

  async #work(tasks: readonly CollectTask[]): Promise<void> {
    await Promise.all(
      tasks.map(async (task) => {
        this.#current.set(task.worker, { task, begun: performance.now() })
        const result = await this.#workers.run(task)
        const next = this.#finished(task, result)
        this.#ask()
        await this.#work(next)
      }),
    )
  }

  /** Records the result of a task. @returns tasks for its remaining work */
  #finished(task: CollectTask, result: CollectResult): CollectTask[] {
    const { worker } = task
    this.#results.push(result)
    this.#current.delete(worker)
    if (this.#asked === worker) {
      this.#asked = undefined
      Atomics.store(this.#workers.stops, worker, 0)
    }
    this.#idle.push(task)
    if (result.to === this.#steps) return []
    const { courses, to: from } = result
    const free = this.#idle.splice(-courses.length)
    return shareOut(courses.length, free.length).map(({ first, count }, i) => {
      Atomics.store(this.#workers.pulses, free[i].worker, 0)
      return { ...free[i], first: result.first + first, courses: courses.slice(first, first + count), from }
    })
  }

  /** Asks the worker with most left to do to end its task, if that makes the rollout shorter. */
  #ask(): void {
    const move = this.#move()
    const left = [...this.#current.values()].map((current) => ({ ...current, time: this.#timeLeft(current) }))
    if (this.#asked !== undefined || this.#idle.length === 0 || left.length === 0 || move === undefined)
      return
    const { task, time } = left.reduce((most, other) => (other.time > most.time ? other : most))
    const count = task.courses.length
    const others = Math.min(this.#idle.length, count - 1)
    if ((time * others) / (others + 1) < HANDOVER + 2 * move * count) return
    this.#asked = task.worker
    Atomics.store(this.#workers.stops, task.worker, 1)
  }

  /** Milliseconds that a worker will need for the rest of its task. */
  #timeLeft({ task: { worker, courses, from }, begun }: Current): number {
    const count = courses.length
    // Each environment's restoration is a pulse as well.
    const made = Math.max(0, Atomics.load(this.#workers.pulses, worker) - count)
    if (made === 0) return 0
    return ((count * (this.#steps - from) - made) * (performance.now() - begun)) / made
  }
}
