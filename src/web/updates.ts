import type { Finding } from '../runs/types.js'

/** The content of an answer to `/updates`, which the server sends to the page as JSON. */

/** Rows of a run that a page has. */
export interface SeenRun {
  readonly generation: number
  readonly rows: number
}

export type RunState = 'running' | 'finished' | 'stopped'

/** Numbers of iterations: a column for each name of TensorBoard's that a panel shows. */
export interface Columns {
  /** Index of the first row. */
  readonly from: number
  readonly steps: readonly number[]
  /** Wall time so far. */
  readonly seconds: readonly number[]
  readonly values: Readonly<Record<string, readonly (number | null)[]>>
}

/** All evaluations of a run. */
export interface Evaluations {
  readonly steps: readonly number[]
  readonly means: readonly (number | null)[]
}

export interface RunUpdate {
  readonly id: number
  readonly name: string
  readonly state: RunState
  /** Counts the times that lines were replaced by others, as a resume does. */
  readonly generation: number
  /** Iterations that were read so far. */
  readonly rows: number
  /** Values of the configuration by dotted key, as JSON; empty where it cannot be read. */
  readonly config: Readonly<Record<string, string>>
  /** Configured number of steps. */
  readonly totalSteps?: number
  /** Names of the policies: agents, or groups of agents that share one. */
  readonly agents: readonly string[]
  /** Why files of the run cannot be read. */
  readonly problem?: string
  /** Present for runs that the page shows. */
  readonly columns?: Columns
  readonly evaluations?: Evaluations
  /** Problems in the latest iterations. */
  readonly findings?: readonly Finding[]
}

export interface Updates {
  readonly runs: readonly RunUpdate[]
  /** Whether a further request brings more at once. */
  readonly more: boolean
}

/** Rows that a page has of the runs that it shows, as the query of a request: `0.2.150,3.0.0`. */
export function formatSeen(seen: ReadonlyMap<number, SeenRun>): string {
  return [...seen].map(([id, { generation, rows }]) => `${id}.${generation}.${rows}`).join(',')
}

/** @returns undefined for a text that `formatSeen` does not write */
export function parseSeen(text: string): Map<number, SeenRun> | undefined {
  if (text === '') return new Map()
  const seen = new Map<number, SeenRun>()
  for (const part of text.split(',')) {
    if (!/^\d{1,9}\.\d{1,9}\.\d{1,9}$/.test(part)) return undefined
    const [id, generation, rows] = part.split('.').map(Number)
    seen.set(id, { generation, rows })
  }
  return seen
}
