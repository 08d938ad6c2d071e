import type { RowStep } from '../steps.js'
import { gradientSpans } from './encode.js'

/** Entries from <= i < to of a gradient. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface GradientPlan {
  /** Steps that add to their entries. All others share no entry and store theirs. */
  readonly accumulating: ReadonlySet<RowStep>
  /** Entries set to zero in each block before its first step. */
  readonly cleared: readonly Span[]
  readonly written: readonly Span[]
  readonly unwritten: readonly Span[]
}

/**
 * Plan of a gradient of `length` entries that is zeroed and then accumulated by steps. In the common case of one step per
 * entry, the steps store their entries and no zeroing is needed.
 * @throws RangeError for a step whose entries are outside the gradient
 */
export function planGradient(steps: readonly RowStep[], length: number): GradientPlan {
  const spans = steps.flatMap((step) => gradientSpans(step).map((span) => ({ ...span, step })))
  const outside = spans.find(({ from, to }) => !(from >= 0 && to <= length))
  if (outside) {
    const { step, from, to } = outside
    throw new RangeError(`${step.op}: gradient entries ${from} .. ${to - 1} of a gradient of ${length}`)
  }
  const groups = overlapping(spans)
  const shared = groups.filter(({ members }) => members.length > 1).flatMap(({ members }) => members)
  const accumulating = new Set(shared.map(({ step }) => step))
  const written = joined(groups)
  const ends = [0, ...written.flatMap(({ from, to }) => [from, to]), length]
  const unwritten = written.map((_, i) => ({ from: ends[2 * i], to: ends[2 * i + 1] }))
  unwritten.push({ from: ends.at(-2)!, to: length })
  return {
    accumulating,
    cleared: groups.filter(({ members }) => members.some(({ step }) => accumulating.has(step))),
    written,
    unwritten: unwritten.filter(({ from, to }) => to > from),
  }
}

/** Unions of spans that overlap, directly or transitively, in ascending order. */
function overlapping<T extends Span>(spans: readonly T[]): { from: number; to: number; members: T[] }[] {
  const groups: { from: number; to: number; members: T[] }[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const group = groups.at(-1)
    if (group && span.from < group.to) {
      group.to = Math.max(group.to, span.to)
      group.members.push(span)
    } else {
      groups.push({ from: span.from, to: span.to, members: [span] })
    }
  }
  return groups
}

/** Ascending disjoint spans, with adjacent spans merged. */
function joined(spans: readonly Span[]): Span[] {
  const result: { from: number; to: number }[] = []
  for (const { from, to } of spans) {
    const last = result.at(-1)
    if (last?.to === from) last.to = to
    else result.push({ from, to })
  }
  return result
}
