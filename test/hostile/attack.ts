import { HatrpoError } from '../../src/errors.js'
import { PolicyError } from '../../src/runtime/index.js'
import type { Random } from '../export/random-policy.js'

/** Outcome of an input: refused in one line, or accepted without harm. Anything else is thrown and is a fault. */
export type Verdict = 'refused' | 'harmless'

/** An input made from random numbers, and what became of it. @throws Error that describes the fault */
export type Attempt = (random: Random) => Promise<Verdict> | Verdict

/** A kind of attack. */
export interface Attack {
  readonly name: string
  /** Description of how an input is made. */
  readonly input: string
  /** Behaviour that counts as a fault. */
  readonly fault: string
  /** Seconds that an input may take; more is a fault. */
  readonly limit: number
  /** Share of a campaign's time, relative to the other kinds. */
  readonly share: number
  /** Why the kind cannot be tried on this machine, if so. */
  readonly missing?: () => string | false
  /** @param folder empty, for the attack's own files */
  prepare(folder: string): Promise<Attempt> | Attempt
}

/** Longest line that is still read. */
const LONGEST_LINE = 2000

/** A fault in the product. */
export class Fault extends Error {}

/** Asserts an expectation of an attack. */
export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Fault(otherwise)
}

/** Asserts that an error is one line for people. */
export function expectLine(error: unknown): void {
  if (error instanceof Fault) throw error
  if (!(error instanceof HatrpoError || error instanceof PolicyError)) {
    const { stack, message } = error instanceof Error ? error : new Error(String(error))
    throw new Fault(`internal error: ${(stack ?? message).split('\n').slice(0, 4).join(' | ')}`)
  }
  expectOneLine(error.message)
}

/** Asserts that a text is one line that can be read. */
export function expectOneLine(text: string): void {
  expect(text.length > 0 && !/[\n\r]/.test(text), `not one line: ${JSON.stringify(text.slice(0, 300))}`)
  expect(text.length <= LONGEST_LINE, `a line of ${text.length} characters: ${text.slice(0, 200)}`)
}

/** The verdict on an action: an error must be one line, a result must be sound. */
export async function judge<T>(
  action: () => T | Promise<T>,
  sound: (result: T) => unknown,
): Promise<Verdict> {
  let result: T
  try {
    result = await action()
  } catch (error) {
    expectLine(error)
    return 'refused'
  }
  await sound(result)
  return 'harmless'
}
