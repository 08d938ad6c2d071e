import type { MultiAgentEnv } from '../contract.js'
import type { Findings } from './finding.js'
import { allViews, type NamedView, overlap } from './views.js'

/** Views of one environment that share memory: a write to one changes the other. */
export function checkOwnMemory(env: MultiAgentEnv, findings: Findings): void {
  const views = allViews(env)
  const pairs = views.flatMap((a, i) =>
    views
      .slice(i + 1)
      .filter((b) => overlap(a.view, b.view))
      .map((b) => [a, b]),
  )
  report(pairs, (a, b) => `${a} and ${b} share memory`, findings)
}

/** Views that two environments share. @returns whether there are any */
export function checkForeignMemory(env: MultiAgentEnv, other: MultiAgentEnv, findings: Findings): void {
  const theirs = allViews(other)
  const pairs = allViews(env).flatMap((a) => theirs.filter((b) => overlap(a.view, b.view)).map((b) => [a, b]))
  const tell = (a: string, b: string) =>
    a === b
      ? `two environments share the memory of ${a}`
      : `${a} of one environment is the memory of ${b} of another`
  report(pairs, tell, findings)
}

function report(
  pairs: readonly (readonly NamedView[])[],
  tell: (a: string, b: string) => string,
  findings: Findings,
): void {
  if (pairs.length === 0) return
  const [a, b] = pairs[0]
  const more = pairs.length > 1 ? ` (and ${pairs.length - 1} more such pairs)` : ''
  findings.add(
    'aliasing',
    `${tell(a.name, b.name)}${more}: make a separate typed array for each view of each environment`,
  )
}
