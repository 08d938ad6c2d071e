import { TERMINATED, TRUNCATED, type MultiAgentEnv } from '../envs/contract.js'
import { replaceFile } from '../runs/disk.js'
import { sightOf, type TrajectoryAbout, type TrajectoryFile } from './trajectory-file.js'
import { JsonlTrajectory } from './trajectory-jsonl.js'
import { NpzTrajectory } from './trajectory-npz.js'

type Format = new (env: MultiAgentEnv, about: TrajectoryAbout) => TrajectoryFile

/** Formats by the ending of a file's name. */
const FORMATS: Readonly<Record<string, Format>> = { '.npz': NpzTrajectory, '.jsonl': JsonlTrajectory }

export const TRAJECTORY_ENDINGS: readonly string[] = Object.keys(FORMATS)

/** The ending of a file's name that names a format; undefined for others. */
export function trajectoryEnding(path: string): string | undefined {
  return TRAJECTORY_ENDINGS.find((ending) => path.endsWith(ending))
}

/** Records the episodes of one environment. */
export class TrajectoryRecorder {
  readonly #env: MultiAgentEnv
  readonly #file: TrajectoryFile
  #episode = -1
  #step = 0

  /** @param ending of the file's name, which names its format */
  constructor(env: MultiAgentEnv, about: TrajectoryAbout, ending: string) {
    this.#env = env
    this.#file = new FORMATS[ending](env, about)
  }

  begun(): void {
    this.#episode++
    this.#step = 0
  }

  chosen(): void {
    this.#file.before(this.#episode, this.#step++, sightOf(this.#env))
  }

  stepped(total: number, end: number): void {
    const { actions, rewards } = this.#env
    const [terminated, truncated] = [end === TERMINATED, end === TRUNCATED]
    this.#file.after({ actions, rewards, terminated, truncated })
    if (terminated || truncated) this.#file.end(this.#episode, this.#step, total, sightOf(this.#env))
  }

  /** @returns bytes of the file */
  write(path: string): number {
    const bytes = this.#file.bytes()
    replaceFile(path, bytes)
    return bytes.length
  }
}
