import type { EvaluationRecord, IterationRecord } from '../runs/types.js'
import { episodeCount } from './numbers.js'

/** Progress of a training, on stderr. */
export interface Progress {
  iteration(record: IterationRecord): void
  evaluation(record: EvaluationRecord): void
  event(message: string): void
  stop(): void
}

export function number(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(1)
}

function iterationLine(record: IterationRecord): string {
  const { iteration, steps, stepsPerSecond, episodeReturn } = record
  return `iteration ${iteration} steps ${steps} return ${number(episodeReturn?.mean)} ${Math.round(stepsPerSecond)} steps/s`
}

function evaluationLine({ steps, mean, sd, returns }: EvaluationRecord): string {
  return `evaluation at ${steps} steps: return ${number(mean)} +- ${number(sd)} over ${episodeCount(returns.length)}`
}

/** A duration as people say it: 45 s, 12 min, 3 h 05 min. */
export function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 100) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** Milliseconds between lines about how far a training has come. */
const INTERVAL = 10_000

/** Options of plain lines. */
export interface LineOptions {
  readonly verbose: boolean
  /** Iterations of the whole run; 0 writes no lines about how far it has come. */
  readonly total: number
  /** Milliseconds since some moment. */
  readonly clock?: () => number
}

/**
 * Plain lines, for logs and pipes: evaluations, events, and about every ten seconds how far the training has come; every
 * iteration when `verbose`.
 */
export class LineProgress implements Progress {
  readonly #stream: NodeJS.WritableStream
  readonly #verbose: boolean
  readonly #total: number
  readonly #clock: () => number
  readonly #begun: number
  #told: number
  #first: IterationRecord | undefined
  /** Of the latest iteration in which episodes ended. */
  #return: number | undefined

  constructor(
    stream: NodeJS.WritableStream,
    { verbose, total, clock = () => performance.now() }: LineOptions,
  ) {
    this.#stream = stream
    this.#verbose = verbose
    this.#total = total
    this.#clock = clock
    this.#begun = this.#told = clock()
  }

  iteration(record: IterationRecord): void {
    this.#first ??= record
    if (record.episodeReturn) this.#return = record.episodeReturn.mean
    if (this.#verbose) this.event(iterationLine(record))
    const now = this.#clock()
    if (this.#verbose || this.#total === 0 || now - this.#told < INTERVAL) return
    this.#told = now
    this.event(this.#courseLine(record, this.#first, (now - this.#begun) / 1000))
  }

  evaluation(record: EvaluationRecord): void {
    this.event(evaluationLine(record))
  }

  event(message: string): void {
    this.#stream.write(`${message}\n`)
  }

  stop(): void {}

  /** @param seconds since this process began, with evaluations and checkpoints */
  #courseLine(record: IterationRecord, first: IterationRecord, seconds: number): string {
    const { iteration, steps } = record
    const made = iteration - first.iteration + 1
    const speed = ((steps / iteration) * made) / seconds
    const left = ((this.#total - iteration) * seconds) / made
    return (
      `iteration ${iteration} of ${this.#total}: ${steps} steps, return ${number(this.#return)}, ` +
      `${Math.round(speed)} steps/s, ${duration(left)} left`
    )
  }
}
