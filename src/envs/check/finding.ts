import { thrownLine } from '../../text/thrown.js'

/**
 * `error`: training would fail or be wrong. `warning`: training works, but the environment is probably not as intended.
 */
export type Severity = 'error' | 'warning'

/** Checks with the severity of a failure, in the order in which they run. */
export const checkRules = {
  spec: { severity: 'error', about: 'the spec is whole' },
  shape: { severity: 'error', about: 'views have the types and lengths of the spec' },
  'narrow-input': { severity: 'warning', about: 'standardised vectors keep more than a sign' },
  aliasing: { severity: 'error', about: 'views share no memory, within an environment or between two' },
  throws: { severity: 'error', about: 'reset, step, saveState, loadState and dispose do not throw' },
  'view-replaced': { severity: 'error', about: 'views stay the same objects' },
  finite: { severity: 'error', about: 'observations, state and rewards are finite' },
  'observes-state': { severity: 'error', about: 'observations equal the state where the spec says so' },
  bounds: { severity: 'error', about: 'observations lie within their space' },
  'step-result': { severity: 'error', about: 'step returns 0, 1 or 2' },
  'cooperative-reward': { severity: 'error', about: 'agents of a cooperative environment get one reward' },
  'opposed-rewards': { severity: 'warning', about: 'agents that share a reward have no opposed ones' },
  'action-mask': { severity: 'error', about: 'every active agent has an available action' },
  active: { severity: 'error', about: 'some agent is active while the episode continues' },
  'no-reward': { severity: 'warning', about: 'some reward is not 0' },
  constant: { severity: 'warning', about: 'observations and state change' },
  'time-limit': { severity: 'error', about: 'episodes are truncated at the time limit of the spec' },
  endless: { severity: 'warning', about: 'episodes end' },
  'final-views': { severity: 'error', about: 'views hold the final state until reset' },
  'step-after-end': { severity: 'warning', about: 'an ended episode does not continue' },
  'unclipped-action': { severity: 'error', about: 'actions beyond their bounds are taken' },
  determinism: { severity: 'error', about: 'the same seed and actions give the same bits' },
  'shared-state': { severity: 'error', about: 'two environments do not disturb each other' },
  'seed-ignored': { severity: 'warning', about: 'different seeds give different episodes' },
  'save-state': { severity: 'error', about: 'loadState restores what saveState gave' },
  allocation: { severity: 'warning', about: 'step allocates nothing' },
} as const satisfies Record<string, { severity: Severity; about: string }>

export type CheckRule = keyof typeof checkRules

/** Fault of an environment. */
export interface Finding {
  readonly rule: CheckRule
  readonly severity: Severity
  /** One line: the fault with its figures, and the correction. */
  readonly message: string
}

/** Collects findings, only the first of each kind and subject. */
export class Findings {
  readonly list: Finding[] = []
  readonly #seen = new Set<string>()

  /** @param what distinguishes several findings of one rule */
  add(rule: CheckRule, message: string, what = ''): void {
    const key = `${rule} ${what}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.list.push({ rule, severity: checkRules[rule].severity, message })
  }

  has(...rules: CheckRule[]): boolean {
    return this.list.some(({ rule }) => rules.includes(rule))
  }
}

/** An exception of an environment, and the call that it came from. */
export class Thrown extends Error {
  constructor(call: string, cause: unknown) {
    super(`${call} threw ${firstLine(cause)}`, { cause })
  }
}

/** Calls what belongs to the environment. @throws Thrown */
export function calling<T>(call: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof Thrown ? error : new Thrown(call, error)
  }
}

/** Runs a part of the check. Exceptions of the environment are findings, the same exception only once. */
export function attempt(findings: Findings, work: () => void): void {
  try {
    work()
  } catch (error) {
    addThrown(findings, error)
  }
}

/** @throws `error` itself where it is not the environment's */
export function addThrown(findings: Findings, error: unknown): void {
  if (!(error instanceof Thrown)) throw error
  const right = "it must work for every seed, and for every action in the spec's spaces"
  findings.add('throws', `${error.message}: ${right}`, firstLine(error.cause))
}

export function firstLine(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`.split('\n')[0]
  return thrownLine(error)
}
