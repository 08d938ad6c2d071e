import { arch, cpus, platform } from 'node:os'

/** A figure of a bench, over its rounds. */
export interface Result {
  readonly name: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Summarises one value a round. */
export function result(name: string, unit: string, values: readonly number[]): Result {
  const sorted = [...values].sort((a, b) => a - b)
  return { name, unit, median: sorted[sorted.length >> 1], min: sorted[0], max: sorted.at(-1)! }
}

/** The middle value; of an even count, the upper one of the two. */
export function median(values: readonly number[]): number {
  return result('', '', values).median
}

/** The machine and the engine that the figures are from. */
export const host = {
  node: process.version,
  platform: platform(),
  arch: arch(),
  cpu: cpus()[0]?.model ?? 'unknown',
}

/** Prints what `--json` promises: the host, and one entry a figure. */
export function printJson(results: readonly Result[]): void {
  console.log(JSON.stringify({ host, results }, null, 2))
}
