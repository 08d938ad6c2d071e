import type { MultiAgentEnv } from '../contract.js'
import { Repetition } from './determinism.js'
import { calling, type Findings } from './finding.js'
import type { Trace } from './trace.js'

/** Steps from the late saved one to the end of a long episode. */
const STEPS_AFTER = 100
/** Steps that are compared after the reset was loaded. */
const STEPS_FROM_START = 300

/**
 * Checks that results of `saveState` restore an environment: saved after the reset and late in the episode; loaded by
 * the environment that saved it, by an unused one, and by one within another episode.
 * @param fresh an environment that was never reset
 * @param busy an environment that has run
 */
export function checkRestore(
  env: MultiAgentEnv,
  fresh: MultiAgentEnv,
  busy: MultiAgentEnv,
  traces: readonly [Trace, Trace],
  seed: number,
  findings: Findings,
): void {
  const [trace, other] = traces
  const { steps } = trace
  const late = Math.max(Math.floor(steps / 2), steps - STEPS_AFTER)
  const origin = new Repetition(env, trace, seed)
  const stray = new Repetition(busy, other, seed)
  stray.runTo(Math.floor(Math.min(other.steps, STEPS_AFTER) / 2))

  for (const at of [late, 0]) {
    origin.runTo(at)
    const saved = save(env, findings)
    if (saved === undefined) return
    const kept = saved.slice()
    const point = new Repetition(env, trace, seed)
    point.takeOver(origin)
    const until = at === late ? steps : Math.min(steps, STEPS_FROM_START)
    const went = origin.advanceTo(until)
    if (went !== undefined) {
      const how = `after saveState at step ${at} the episode goes another way: ${went}`
      return findings.add('save-state', `${how}: saveState must change nothing, including random streams`)
    }
    if (!sameBytes(saved, kept)) {
      const how = `the bytes that saveState gave at step ${at} changed later in the episode`
      return findings.add(
        'save-state',
        `${how}: return a copy, such as new Uint8Array(numbers.slice().buffer)`,
      )
    }
    const targets: [MultiAgentEnv, string][] = [
      [env, 'the same environment'],
      ...(at === late ? ([[fresh, 'an environment that never ran']] as [MultiAgentEnv, string][]) : []),
      [busy, 'another environment amid an episode'],
    ]
    for (const [target, name] of targets) {
      const difference = resume(target, trace, point, until, kept.slice(), seed)
      if (difference === undefined) continue
      const how = `what saveState gave at step ${at}, loaded into ${name}, does not bring it back: ${difference}`
      return findings.add(
        'save-state',
        `${how}: save everything that step and the views read, including counters and random streams, and fill the views in loadState`,
      )
    }
  }
}

function save(env: MultiAgentEnv, findings: Findings): Uint8Array | undefined {
  const saved: unknown = calling('saveState', () => env.saveState!())
  if (saved instanceof Uint8Array) return saved
  findings.add('save-state', `saveState gave ${typeof saved}: return a Uint8Array`)
  return undefined
}

/** Loads, and runs up to a step. @returns the first difference */
function resume(
  env: MultiAgentEnv,
  trace: Trace,
  point: Repetition,
  until: number,
  saved: Uint8Array,
  seed: number,
): string | undefined {
  const before = saved.slice()
  calling('loadState', () => env.loadState!(saved))
  const repetition = new Repetition(env, trace, seed)
  repetition.takeOver(point)
  const seen = trace.seenDifference(env, point.steps)
  if (seen !== undefined) return seen
  const difference = repetition.advanceTo(until)
  if (difference === undefined && !sameBytes(saved, before)) return 'going on changed the bytes it was given'
  return difference
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
