import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { usageError } from '../errors.js'
import type { Entry } from '../report/admit.js'
import type { ComparedRuns, CompareOptions } from '../report/compare.js'
import type { Scale } from '../report/comparison.js'
import { replaceFile } from '../runs/disk.js'
import { show } from '../text/show.js'
import { Busy } from './busy.js'
import { expectFile } from './files.js'
import { choice, episodeCount, flagName, wholeFlag } from './numbers.js'

interface CompareFlags {
  metric?: string
  at?: string
  share?: string
  scale?: string
  line?: string
  x?: string
  title?: string
  resamples?: string
  seed?: string
  json?: boolean
  svg?: string
  html?: string
  marlEval?: string
  absolute?: string
  workers?: string
}

export function compareCommand(): Command {
  return new Command('compare')
    .description('Compare methods over runs: means, IQMs, intervals, profiles and curves.')
    .argument('<runs...>', 'run folders, folders of runs, or NAME=FOLDER,FOLDER')
    .option('--metric <name>', 'score of a run: evaluation (the last one) or training (its last tenth)')
    .option('--at <steps>', 'ignore results after this number of steps')
    .option('--share <fraction>', 'fraction of the best score for the steps to reach it (default: 0.95)')
    .option(
      '--scale <file>',
      'JSON with the low and high score of each task, for the comparison over all tasks',
    )
    .option('--json', 'print everything as JSON')
    .option('--svg <file>', 'write the learning curves')
    .option('--html <file>', 'write tables and pictures as one page')
    .option('--line <name>', 'line of the curves: iqm (default) or mean')
    .option('--x <name>', 'horizontal axis of the curves: steps (default) or time')
    .option('--title <text>', 'title of the picture and the page')
    .option('--marl-eval <file>', 'write the evaluations of all runs as a JSON file for marl-eval')
    .option('--absolute <how>', 'absolute metrics of --marl-eval: rerun (default) or recorded')
    .option('--workers <n>', 'threads that step environments for --marl-eval')
    .option('--resamples <n>', 'resamples of the bootstrap (default: 50000)')
    .option('--seed <n>', 'seed of the bootstrap (default: 1)')
    .addHelpText(
      'after',
      `
docs/compare.md defines every number.

Examples:
  hatrpo compare runs
  hatrpo compare A=runs/a-s1,runs/a-s2 B=runs/b-s1,runs/b-s2 --svg curves.svg`,
    )
    .action(compare)
}

/** Compares runs, and reports phases that take long. */
function withPhases(
  compareWithRuns: (options: CompareOptions) => ComparedRuns,
  options: CompareOptions,
): ComparedRuns {
  const busy = new Busy()
  busy.phase('comparing')
  try {
    return compareWithRuns({ ...options, onPhase: (phase) => busy.rename(`comparing: ${phase}`) })
  } finally {
    busy.stop()
  }
}

/** Flags that only some outputs read. */
const READ_BY = {
  absolute: ['marlEval'],
  workers: ['marlEval'],
  line: ['svg', 'html'],
  x: ['svg', 'html'],
  title: ['svg', 'html'],
} as const

async function compare(runs: readonly string[], flags: CompareFlags): Promise<void> {
  refuseUnread(flags)
  for (const path of [flags.svg, flags.html, flags.marlEval]) if (path !== undefined) expectFile(path)
  const report = await import('../report/index.js')
  const limits = flags.at === undefined ? {} : { at: wholeFlag('--at', flags.at, 1, Number.MAX_SAFE_INTEGER) }
  const drawn = {
    ...(flags.title !== undefined && { title: flags.title }),
    line: choice('--line', flags.line ?? 'iqm', report.LINES),
    x: choice('--x', flags.x ?? 'steps', report.AXES),
  }
  const writeMarlEval =
    flags.marlEval === undefined ? undefined : await marlEvalWriter(flags.marlEval, limits, flags)
  const { comparison, entries } = withPhases(report.compareWithRuns, {
    runs,
    metric: choice('--metric', flags.metric ?? 'evaluation', report.METRICS),
    ...limits,
    ...(flags.share !== undefined && { share: shareFlag(flags.share) }),
    ...(flags.scale !== undefined && { scale: readScale(flags.scale) }),
    resamples: wholeFlag('--resamples', flags.resamples ?? '50000', 100, 10_000_000),
    seed: wholeFlag('--seed', flags.seed ?? '1', 0, Number.MAX_SAFE_INTEGER),
  })
  if (flags.svg !== undefined) write(flags.svg, report.svgFile(report.curvesPicture(comparison, drawn)))
  if (flags.html !== undefined) write(flags.html, report.htmlPage(comparison, drawn))
  await writeMarlEval?.(entries)
  process.stdout.write(`${flags.json ? JSON.stringify(comparison) : report.asText(comparison)}\n`)
}

function refuseUnread(flags: CompareFlags): void {
  for (const [flag, readers] of Object.entries(READ_BY)) {
    if (flags[flag as keyof typeof READ_BY] === undefined) continue
    if (readers.every((reader) => flags[reader] === undefined))
      throw usageError(`${flagName(flag)} needs ${readers.map(flagName).join(' or ')}`)
  }
}

async function marlEvalWriter(
  path: string,
  limits: { readonly at?: number },
  flags: CompareFlags,
): Promise<(entries: readonly Entry[]) => Promise<void>> {
  const { ABSOLUTE, marlEval } = await import('../report/marl-eval.js')
  const options = {
    ...limits,
    absolute: choice('--absolute', flags.absolute ?? 'rerun', ABSOLUTE),
    ...(flags.workers !== undefined && { workers: wholeFlag('--workers', flags.workers, 0, 1024) }),
    onRun: (dir: string, episodes: number) =>
      process.stderr.write(`${dir}: ${episodeCount(episodes)} for its absolute metric\n`),
    onNote: (note: string) => process.stderr.write(`${note}\n`),
  }
  return async (entries) => write(path, `${JSON.stringify(await marlEval(entries, options), null, 1)}\n`)
}

function write(path: string, text: string): void {
  replaceFile(path, text)
  process.stderr.write(`wrote ${path}\n`)
}

function shareFlag(text: string): number {
  const share = text.trim() === '' ? NaN : Number(text)
  if (share > 0 && share <= 1) return share
  throw usageError(
    `--share is ${JSON.stringify(text)}: it must be a number above 0 and at most 1, such as 0.95`,
  )
}

/** Scores that count as 0 and 1, by task. */
function readScale(path: string): Record<string, Scale> {
  const wrong = (reason: string) =>
    usageError(
      `--scale is ${JSON.stringify(path)}: ${reason}; it must be JSON such as {"TASK": {"low": 0, "high": 1000}}`,
    )
  let scales: unknown
  try {
    scales = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw wrong((error as Error).message)
  }
  if (typeof scales !== 'object' || scales === null || Array.isArray(scales))
    throw wrong(`it holds ${show(scales)}`)
  for (const [task, scale] of Object.entries(scales as Record<string, Scale | null>)) {
    const { low, high } = scale ?? {}
    if (!(Number.isFinite(low) && Number.isFinite(high) && high! > low!))
      throw wrong(`${task} is ${show(scale)}, not two numbers with high above low`)
  }
  return scales as Record<string, Scale>
}
