import { usageError } from '../errors.js'

/** Reads a flag that must be a whole number. @throws HatrpoError (exit code 2) naming the flag and the range */
export function wholeFlag(flag: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max))
    throw usageError(`${flag} is ${JSON.stringify(text)}: it must be a whole number from ${min} to ${max}`)
  return value
}

/** The flag `--init-from` of the key `initFrom`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Reads a flag that must be a key of a table. @throws HatrpoError (exit code 2) naming the flag and the keys */
export function choice<T extends object>(flag: string, text: string, table: T): keyof T & string {
  if (Object.hasOwn(table, text)) return text as keyof T & string
  throw usageError(`${flag} is ${JSON.stringify(text)}: it must be ${Object.keys(table).join(' or ')}`)
}

/** Reads the flag that names a checkpoint. @throws HatrpoError (exit code 2) for anything but latest, best or a number */
export function checkpointFlag(text: string): 'latest' | 'best' | number {
  if (text === 'latest' || text === 'best') return text
  if (!/^\d+$/.test(text))
    throw usageError(`--checkpoint is ${JSON.stringify(text)}: it must be latest, best or an iteration`)
  return wholeFlag('--checkpoint', text, 0, Number.MAX_SAFE_INTEGER)
}

/** A number of episodes, as a line says it. */
export function episodeCount(count: number): string {
  return count === 1 ? '1 episode' : `${count} episodes`
}

/**
 * Reads a list of seeds: `1-5`, `1,3,7` or both mixed.
 *
 * @throws HatrpoError (exit code 2) for anything else, and for a seed named twice
 */
export function parseSeeds(text: string): number[] {
  const wrong = (right: string) => usageError(`--seeds is ${JSON.stringify(text)}: ${right}`)
  const seeds: number[] = []
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    const first = Number(match?.[1])
    const last = Number(match?.[2] ?? match?.[1])
    if (!(first <= last && last <= Number.MAX_SAFE_INTEGER && last - first < 10_000))
      throw wrong('it must be a range or a list of whole numbers, such as 1-5 or 1,3,7')
    for (let seed = first; seed <= last; seed++) seeds.push(seed)
  }
  if (new Set(seeds).size !== seeds.length) throw wrong('it must name each seed once')
  return seeds
}
