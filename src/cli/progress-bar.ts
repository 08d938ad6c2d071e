import { Presets, SingleBar } from 'cli-progress'
import { totalIterations, type TrainConfig } from '../config/index.js'
import type { EvaluationRecord, IterationRecord } from '../runs/types.js'
import { LineProgress, number, type Progress } from './progress-lines.js'
import { envName } from './run-name.js'

/** A bar on a terminal, with the lines above it. */
export class BarProgress implements Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #bar: SingleBar
  readonly #lines: LineProgress
  readonly #verbose: boolean
  readonly #payload: { episodes: string; evaluated: string; speed: string } = {
    episodes: '-',
    evaluated: '-',
    speed: '-',
  }

  constructor(config: TrainConfig, stream: NodeJS.WriteStream, verbose: boolean) {
    this.#stream = stream
    this.#verbose = verbose
    this.#lines = new LineProgress(stream, { verbose, total: 0 })
    const name = `${envName(config.env.id)} ${config.algo} seed ${config.seed}`
    this.#bar = new SingleBar(
      {
        stream,
        format: `${name} {bar} {percentage}% {value}/{total} | return {episodes} | evaluated {evaluated} | {speed} steps/s | {eta_formatted} left`,
        barsize: 20,
        hideCursor: true,
        etaBuffer: 20,
        gracefulExit: false,
      },
      Presets.shades_classic,
    )
    this.#bar.start(totalIterations(config), 0, this.#payload)
  }

  iteration(record: IterationRecord): void {
    if (record.episodeReturn) this.#payload.episodes = number(record.episodeReturn.mean)
    this.#payload.speed = String(Math.round(record.stepsPerSecond))
    if (this.#verbose) this.#above(() => this.#lines.iteration(record))
    this.#bar.update(record.iteration, this.#payload)
  }

  evaluation(record: EvaluationRecord): void {
    this.#payload.evaluated = number(record.mean)
    this.#above(() => this.#lines.evaluation(record))
  }

  event(message: string): void {
    this.#above(() => this.#lines.event(message))
  }

  stop(): void {
    this.#bar.stop()
  }

  /** Clears the bar's line, writes there, and draws the bar again below. */
  #above(write: () => void): void {
    this.#stream.write('\r\x1b[K')
    write()
    this.#bar.render()
  }
}
