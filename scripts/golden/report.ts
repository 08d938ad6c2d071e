import type { GoldenArguments } from './arguments.js'

/** Deviation of one quantity from its golden value. */
export interface Comparison {
  readonly quantity: string
  /** Largest absolute difference; Infinity when something is not finite, missing or not the same word. */
  readonly maxAbs: number
  /** Bound of `maxAbs`. */
  readonly bound: number
  /** The bound that the file suggests. */
  readonly suggested: number
  /** Largest of the file's numbers, where it has them itself. */
  readonly size?: number
}

/** Result for one golden file. */
export interface FileReport {
  readonly comparisons: readonly Comparison[]
  /** Quantities that were not compared, with the reason, and settings changed for the comparison; one line each. */
  readonly notes: readonly string[]
}

type Verdict = 'ok' | 'WIDER' | 'FAIL'

/**
 * Checks each file and prints the results: comparisons and their count to stdout, notes and errors to stderr.
 * @returns the exit code: 0 if every quantity of every file passed
 */
export async function checkGoldenFiles(
  { files, json, acceptWider }: GoldenArguments,
  check: (file: string) => Promise<FileReport>,
): Promise<0 | 1> {
  let passed = true
  const counts: Record<Verdict, number> = { ok: 0, WIDER: 0, FAIL: 0 }
  for (const file of files) {
    try {
      const { comparisons, notes } = await check(file)
      for (const note of notes) console.error(`${file}: ${note}`)
      for (const comparison of comparisons) {
        const verdict = judge(comparison)
        counts[verdict]++
        if (verdict === 'FAIL' || (verdict === 'WIDER' && !acceptWider)) passed = false
        console.log(json ? jsonLine(file, comparison) : textLine(file, comparison, verdict))
      }
    } catch (error) {
      passed = false
      console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const compared = counts.ok + counts.WIDER + counts.FAIL
  if (!json && compared > 0) {
    console.log(
      `${compared} quantities of ${files.length} files: ${counts.ok} ok, ${counts.WIDER} WIDER, ${counts.FAIL} FAIL`,
    )
  }
  return passed ? 0 : 1
}

/** A difference that is NaN fails. */
function judge({ maxAbs, bound, suggested }: Comparison): Verdict {
  if (!(maxAbs <= bound)) return 'FAIL'
  return bound > suggested ? 'WIDER' : 'ok'
}

/** JSON has no infinity: the files write "inf". */
function jsonLine(file: string, { quantity, maxAbs, bound }: Comparison): string {
  return JSON.stringify({ file, quantity, maxAbs: Number.isFinite(maxAbs) ? maxAbs : 'inf', bound })
}

function textLine(file: string, { quantity, maxAbs, bound }: Comparison, verdict: Verdict): string {
  return `${verdict.padEnd(5)} ${maxAbs.toExponential(1).padStart(8)} <= ${bound.toExponential(1)}  ${quantity}  ${file}`
}
