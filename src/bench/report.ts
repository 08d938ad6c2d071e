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

/** The form of `--json`: the host, and one entry a figure. */
export function asJson(results: readonly Result[]): string {
  return JSON.stringify({ host, results }, null, 2)
}

/** Columns of a name in a table. */
const NAME_WIDTH = 64

/** First lines of a table of results. */
export const tableHead = [
  `${host.cpu}, Node ${host.node}`,
  `${''.padEnd(NAME_WIDTH)}${['median', 'min', 'max'].map((title) => title.padStart(10)).join('')}`,
]

/** Line of a result in a table. */
export function tableRow({ name, unit, median: middle, min, max }: Result): string {
  const figures = [middle, min, max].map((value) => show(value).padStart(10)).join('')
  return `${name.padEnd(NAME_WIDTH)}${figures} ${unit}`
}

/** Four significant digits, and all digits before the point. */
export function show(value: number): string {
  const size = value < 0 ? -value : value
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3)
}
