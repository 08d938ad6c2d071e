/** `error`: training would go wrong or stop. `warning`: training works, and something is probably not as meant. */
export type Severity = 'error' | 'warning'

/** The checks, and the severity of a failure. The order is that of the checks. */
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
  'action-mask': { severity: 'error', about: 'every active agent has an available action' },
  active: { severity: 'error', about: 'some agent is active while the episode continues' },
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

/** Something that is wrong with an environment. */
export interface Finding {
  readonly rule: CheckRule
  readonly severity: Severity
  /** One line: what is wrong, with figures, and what to change. */
  readonly message: string
}

/** Collects findings; of the same thing only the first. */
export class Findings {
  readonly list: Finding[] = []
  readonly #seen = new Set<string>()

  /** @param what tells apart several things that one rule finds */
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

/** An environment threw: what it was asked for, and what it said. Nothing more can be checked. */
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

export function firstLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.split('\n')[0]
}
