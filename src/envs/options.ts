import { usageError } from '../errors.js'
import { byCloseness, didYouMean } from '../text/nearest.js'
import type { EnvOptions } from './define.js'

/** One of some words; the first is the default. */
export interface Choice {
  readonly kind: 'choice'
  readonly words: readonly string[]
  readonly usual: string
}

/** A number in a range. */
export interface Range {
  readonly kind: 'whole' | 'number'
  readonly from: number
  /** Infinity for no limit. */
  readonly to: number
  readonly usual: number
}

/** One number for each agent, with commas. */
export interface NumberList {
  readonly kind: 'numbers'
  readonly count: number
  readonly usual: string
}

export type OptionRule = Choice | Range | NumberList
export type OptionRules = Readonly<Record<string, OptionRule>>

/** Option that takes one of some words. @param usual the default; the first word unless given */
export function choice(words: readonly string[], usual = words[0]): Choice {
  return { kind: 'choice', words, usual }
}

/** Option that takes a whole number. */
export function whole(usual: number, from: number, to = Infinity): Range {
  return { kind: 'whole', from, to, usual }
}

/** Option that takes a number. */
export function number(usual: number, from: number, to = Infinity): Range {
  return { kind: 'number', from, to, usual }
}

/** Option that takes `count` numbers with commas. */
export function numbers(count: number, usual: string): NumberList {
  return { kind: 'numbers', count, usual }
}

/**
 * Given options, with defaults for the others.
 * @throws HatrpoError (exit code 2) for an unknown option, or a value that its rule does not allow
 */
export function readOptions(given: EnvOptions, rules: OptionRules): Record<string, string | number> {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(rules, name)) continue
    const known = byCloseness(name, Object.keys(rules))
    throw usageError(
      `env.${name}=${String(given[name])}: no such option; options are ${known.join(', ')}${didYouMean(name, known)}`,
    )
  }
  const values = Object.entries(rules).map(([name, rule]) => [
    name,
    given[name] === undefined ? rule.usual : readOption(name, given[name], rule),
  ])
  return Object.fromEntries(values) as Record<string, string | number>
}

function readOption(name: string, value: string | number | boolean, rule: OptionRule): string | number {
  const text = String(value).trim()
  const right = rule.kind === 'numbers' ? isNumberList(text, rule) : isAllowed(text, rule)
  if (!right) throw usageError(`env.${name}=${String(value)}: must be ${allowed(rule)}`)
  return rule.kind === 'whole' || rule.kind === 'number' ? Number(text) : text
}

function isAllowed(text: string, rule: Choice | Range): boolean {
  if (rule.kind === 'choice') return rule.words.includes(text)
  const value = text === '' ? NaN : Number(text)
  const right = rule.kind === 'whole' ? Number.isSafeInteger(value) : Number.isFinite(value)
  return right && value >= rule.from && value <= rule.to
}

function isNumberList(text: string, { count }: NumberList): boolean {
  const parts = text.split(',')
  return parts.length === count && parts.every((part) => part.trim() !== '' && Number.isFinite(Number(part)))
}

/** The values that a rule allows, for errors. */
function allowed(rule: OptionRule): string {
  if (rule.kind === 'choice') return rule.words.join(' or ')
  if (rule.kind === 'numbers') return `${rule.count} numbers with commas, such as ${rule.usual}`
  const { kind, from, to } = rule
  const what = kind === 'whole' ? 'a whole number' : 'a number'
  return to === Infinity ? `${what} from ${from}` : `${what} from ${from} to ${to}`
}
