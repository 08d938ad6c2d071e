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

/** Plain lines, for logs and pipes: evaluations and events; iterations too when `verbose`. */
export class LineProgress implements Progress {
  readonly #stream: NodeJS.WritableStream
  readonly #verbose: boolean

  constructor(stream: NodeJS.WritableStream, verbose: boolean) {
    this.#stream = stream
    this.#verbose = verbose
  }

  iteration(record: IterationRecord): void {
    if (this.#verbose) this.event(iterationLine(record))
  }

  evaluation(record: EvaluationRecord): void {
    this.event(evaluationLine(record))
  }

  event(message: string): void {
    this.#stream.write(`${message}\n`)
  }

  stop(): void {}
}
