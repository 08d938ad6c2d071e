import type { Interval } from './bootstrap.js'

/** Mark of a value that does not exist, such as the deviation of one run. */
export const NONE = '–'

/** A score with about four digits that count. */
export function score(value: number): string {
  const size = Math.abs(value)
  return size >= 1000 ? value.toFixed(0) : size >= 10 || value === 0 ? value.toFixed(1) : value.toPrecision(3)
}

export function interval(found: Interval | null, show: (value: number) => string = score): string {
  return found === null ? NONE : `${show(found.low)} to ${show(found.high)}`
}

export const probability = (value: number): string => value.toFixed(2)

/** A number of runs, as a line says it. */
export function runCount(count: number): string {
  return count === 1 ? '1 run' : `${count} runs`
}

/** A label of an axis: thousands and millions in short. */
export function short(value: number): string {
  const size = Math.abs(value)
  const [unit, suffix] = size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, '']
  return `${Number((value / unit).toPrecision(6))}${suffix}`
}

/** Text within markup. */
export function escapeMarkup(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character])
}

/** Round numbers at equal distances, about `count` of them; the first and the last enclose `low` and `high`. */
export function ticks(low: number, high: number, count: number): number[] {
  const raw = (high - low || Math.abs(high) || 1) / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999)!
  const first = Math.floor(low / step)
  const last = Math.max(Math.ceil(high / step), first + 1)
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  )
}
