import { goldenBlock, type Fixture } from './fixture.js'
import { largestDifference } from './difference.js'
import type { Comparison, FileReport } from './report.js'

/** A number, a flag (1 or 0) or a tensor's numbers. */
export type Value = number | boolean | ArrayLike<number>
/** Values computed here, by the names of golden files. */
export type Values = Map<string, Value>

/** Values of a check, to be compared. */
export interface Computed {
  /** From the file's inputs to its results. */
  readonly endToEnd: Values
  /** Each stage from the golden result of the one before. */
  readonly stagewise?: Values
  /** Comparisons that the file gives no bound for. */
  readonly more?: readonly Comparison[]
  readonly notes: readonly string[]
}

/**
 * Compares computed values with every quantity of the golden block: numbers within the file's bounds, flags and lengths
 * of lists exactly. Quantities without a bound or absent from the file become notes; missing computed values are
 * failures.
 */
export function compare(fixture: Fixture, computed: Computed): FileReport {
  const notes = [...computed.notes]
  const comparisons: Comparison[] = []
  const golden = leaves(goldenBlock(fixture))
  const tolerance = boundsOf(fixture)
  for (const [name, value] of golden) {
    const bound = tolerance[name]?.suggest_atol ?? (isDecision(name, value) ? 0 : undefined)
    if (bound === undefined) notes.push(`${name}: skipped, the file gives no bound for it`)
    else comparisons.push(comparison(name, value, computed.endToEnd.get(name), bound))
  }
  const named = [...Object.keys(tolerance), ...Object.keys(fixture.tolerance_stagewise ?? {})]
  for (const name of new Set(named)) {
    if (!golden.has(name)) notes.push(`${name}: skipped, the file gives a bound but no number`)
  }
  for (const [name, { suggest_atol }] of Object.entries(fixture.tolerance_stagewise ?? {})) {
    const value = golden.get(name)
    if (value === undefined) continue
    comparisons.push({
      ...comparison(name, value, computed.stagewise?.get(name), suggest_atol),
      quantity: `stagewise.${name}`,
    })
  }
  return { comparisons: [...comparisons, ...(computed.more ?? [])], notes }
}

/** Prefix of bounds for float32 code of one's own, in files whose golden block is a computation in float64. */
const OWN = 'float32_own.'

/** Bounds by quantity; those for code of one's own take the place of HARL's. */
function boundsOf({ tolerance }: Fixture): Fixture['tolerance'] {
  const entries = Object.entries(tolerance)
  const own = entries.filter(([name]) => name.startsWith(OWN))
  const others = entries.filter(([name]) => !name.startsWith(OWN))
  const renamed = own.map(([name, bound]) => [name.slice(OWN.length), bound] as const)
  return Object.fromEntries([...others, ...renamed])
}

/** One quantity at the file's own bound; a value that is missing is infinitely far. */
export function comparison(
  quantity: string,
  golden: Value,
  ours: Value | undefined,
  bound: number,
): Comparison {
  const maxAbs = ours === undefined ? Infinity : largestDifference(numbers(golden), numbers(ours))
  const size = Array.from(numbers(golden), Math.abs).reduce((most, n) => Math.max(most, n), 0)
  return { quantity, maxAbs, bound, suggested: bound, size }
}

/** The numbers that golden files write as {shape, data}. */
export function tensorData(value: unknown): number[] | undefined {
  const { data, shape } = (value ?? {}) as { data?: unknown; shape?: unknown }
  return Array.isArray(data) && Array.isArray(shape) ? (data as number[]) : undefined
}

function isDecision(name: string, value: Value): boolean {
  return typeof value === 'boolean' || name.endsWith('.length')
}

function numbers(value: Value): ArrayLike<number> {
  return typeof value === 'object' ? value : [Number(value)]
}

/** Numbers, flags, tensors and lists' lengths of a nested block by dotted name, such as trials.0.kl. */
function leaves(block: unknown, prefix = '', found: Values = new Map()): Values {
  for (const [key, value] of Object.entries(block as Record<string, unknown>)) {
    const name = prefix + key
    const data = tensorData(value)
    if (data) found.set(name, data)
    else if (typeof value === 'number' || typeof value === 'boolean') found.set(name, value)
    else if (value !== null && typeof value === 'object') {
      leaves(value, `${name}.`, found)
      if (Array.isArray(value)) found.set(`${name}.length`, value.length)
    }
  }
  return found
}
