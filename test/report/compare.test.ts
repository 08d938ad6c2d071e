import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compareWithRuns, type CompareOptions } from '../../src/report/compare.js'
import type { Comparison } from '../../src/report/comparison.js'
import { htmlPage } from '../../src/report/html.js'
import { marlEval } from '../../src/report/marl-eval.js'
import { curvesPicture, svgFile } from '../../src/report/pictures.js'
import { asText } from '../../src/report/tables.js'
import { EvaluationLog } from '../../src/runs/evaluations.js'
import { iterationRecord, saying, temporaryDirectory, testConfig } from '../runs/fixtures.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

interface RunSketch {
  readonly set?: readonly string[]
  /** Means of the evaluations after iterations 2, 4, 6 ... of ten. */
  readonly evaluations?: readonly number[]
  readonly finished?: boolean
  /** Iterations made. */
  readonly iterations?: number
}

/** A run folder as training writes it; 4000 steps an iteration. */
function makeRun(dir: string, sketch: RunSketch): string {
  const { set = [], evaluations = [1, 2, 3, 4, 5], finished = true, iterations = 10 } = sketch
  mkdirSync(dir, { recursive: true })
  const config = testConfig(...set)
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  const records = Array.from({ length: iterations }, (_, i) => JSON.stringify(iterationRecord(i + 1)))
  writeFileSync(join(dir, 'metrics.jsonl'), records.map((line) => `${line}\n`).join(''))
  const log = new EvaluationLog(join(dir, 'eval.json'), config.env.id, config, 0)
  evaluations.forEach((mean, k) =>
    log.append({ iteration: 2 * k + 2, steps: 8000 * (k + 1), returns: [mean - 1, mean + 1], mean, sd: 1 }),
  )
  const result = { iterations, steps: 4000 * iterations, parametersSha256: '' }
  if (finished) writeFileSync(join(dir, 'result.json'), JSON.stringify(result))
  return dir
}

/** Seeds 1, 2, ... of a method whose last evaluations are `finals`. */
function makeSeeds(dir: string, finals: readonly number[], ...set: string[]): string {
  finals.forEach((final, k) => {
    const evaluations = [0, 1, 2, 3].map((v) => (v / 4) * final)
    makeRun(join(dir, `s${k + 1}`), { set: [`seed=${k + 1}`, ...set], evaluations: [...evaluations, final] })
  })
  return dir
}

const compare = (runs: readonly string[], options: Omit<CompareOptions, 'runs'> = {}): Comparison =>
  compareWithRuns({ resamples: 500, ...options, runs }).comparison

function workIn(t: TestContext): void {
  const before = process.cwd()
  t.after(() => process.chdir(before))
  process.chdir(temporaryDirectory(t))
}

test('methods of a task are distinguished, and their numbers are those of the last evaluations', (t) => {
  workIn(t)
  makeSeeds('runs/a', [10, 20, 30, 40, 50, 60])
  makeSeeds('runs/b', [5, 15, 25, 35, 45], 'algo=happo')
  const { tasks, overall, notes } = compare(['runs'])
  assert.equal(overall, null)
  assert.deepEqual(notes, [])
  const [{ task, at, methods, improvements, target, profiles }] = tasks
  assert.deepEqual([tasks.length, task, at], [1, 'mamujoco/HalfCheetah-2x3', 40000])
  const [first, second] = methods
  assert.deepEqual([first.method, first.runs, first.mean, first.iqm], ['hatrpo', 6, 35, 35])
  assert.deepEqual([second.method, second.runs, second.mean, second.iqm], ['happo', 5, 25, 25])
  assert.equal(second.sd, Math.sqrt(250))
  assert.ok(first.iqmInterval!.low < 35 && first.iqmInterval!.high > 35)
  // Of 30 pairs, 1 + 2 + 3 + 4 + 5 of the first six are higher, and all of the last.
  assert.deepEqual(
    [improvements.length, improvements[0].method, improvements[0].probability],
    [1, 'hatrpo', 20 / 30],
  )
  // All curves begin at 0, the best mean is 35. A quarter of a run's final value is added every 8000 steps.
  assert.deepEqual(target, { start: 0, best: 35, level: 33.25 })
  assert.deepEqual(first.stepsToTarget, { median: null, reached: 3 })
  assert.deepEqual(second.stepsToTarget, { median: null, reached: 2 })
  // 26.25 is reached by 30 and 40, 50, 60 after four, three, three and two quarters.
  const sooner = compare(['runs'], { share: 0.75 }).tasks[0]
  assert.deepEqual(sooner.methods[0].stepsToTarget, { median: 36000, reached: 4 })
  assert.deepEqual(first.curve.map(({ steps, mean }) => [steps, mean]).at(-1), [40000, 35])
  assert.deepEqual([profiles.methods[0].shares[0], profiles.methods[0].shares.at(-1)], [1, 0])
  assert.deepEqual(compare(['runs']), compare(['runs/a', 'runs/b', 'runs/a/s1']))
})

test('different settings are part of the name of a method; a given name is kept, with a note', (t) => {
  workIn(t)
  const variant = 'trustRegion.delta=0.005'
  makeSeeds('a', [1, 2])
  makeSeeds('b', [3, 4], variant)
  const names = (runs: readonly string[]) => compare(runs).tasks[0].methods.map(({ method }) => method)
  assert.deepEqual(names(['a', 'b']), ['hatrpo trustRegion.delta=0.01', `hatrpo ${variant}`])
  assert.deepEqual(names(['a', 'small=b']), ['hatrpo', 'small'])
  assert.deepEqual(names(['all=a,b']), ['all'])
  assert.ok(compare(['all=a,b']).notes.includes('all: its runs differ in trustRegion.delta'))
  // Settings of another update rule change nothing.
  makeSeeds('c', [5, 6], 'seed=9', 'gamma=0.9', 'lambda=0.9', 'envs=10', 'rolloutSteps=400')
  const { tasks, notes } = compare(['a', 'c'])
  assert.deepEqual(
    tasks[0].methods.map(({ method }) => method),
    ['hatrpo #1', 'hatrpo #2'],
  )
  assert.ok(notes.includes('hatrpo #2: envs=10 rolloutSteps=400 gamma=0.9 lambda=0.9'))
})

test('runs of different length, unfinished, repeated or without a score are reported', (t) => {
  workIn(t)
  makeSeeds('r', [10, 20])
  makeRun('r/short', { set: ['seed=3'], evaluations: [1, 2], finished: false, iterations: 5 })
  makeRun('r/young', { set: ['seed=4'], evaluations: [], finished: false, iterations: 1 })
  makeRun('r/twice', { set: ['seed=1'], evaluations: [9, 9, 9, 9, 9] })
  makeRun('r/broken', { set: ['seed=5'], evaluations: [1, 2, 3, 4, NaN] })
  const comparison = compare(['r'])
  const [{ methods }] = comparison.tasks
  assert.deepEqual(
    methods[0].scores.map(({ dir, score, at, finished }) => [dir, score, at, finished]),
    [
      ['r/s1', 10, 40000, true],
      ['r/s2', 20, 40000, true],
      ['r/short', 2, 16000, false],
    ],
  )
  for (const note of [
    /^r\/short is not finished: 20000 of 40000 steps made$/,
    /^r\/young is left out: it has no evaluation \(4000 of 40000 steps made\); --metric training /,
    /^r\/twice is left out: it has the settings and the seed of r\/s1/,
    /^r\/broken is left out: its evaluation return after 40000 steps is not finite$/,
    /: scores are measured after 16000 to 40000 steps; --at 16000 compares all at the same one$/,
    /: the curve of hatrpo ends at 16000 steps with its shortest run; the longest has 40000$/,
    /: fewer than 5 runs of hatrpo: /,
  ])
    assert.equal(
      comparison.notes.filter((line) => note.test(line)).length,
      1,
      `${note} in ${comparison.notes.join('\n')}`,
    )
  assert.match(
    asText(comparison),
    /40000 steps; \* some of its runs are not finished\nmethod .+\nhatrpo \* +3 /,
  )
  const cut = compare(['r'], { at: 16000 })
  assert.deepEqual(
    cut.tasks[0].methods[0].scores.map(({ score }) => score),
    [2, 2.5, 5, 2],
  )
  assert.ok(
    !cut.notes.some((line) => line.includes('--at') || line.includes('not finished')),
    cut.notes.join('\n'),
  )
  // Returns of training: 10 times the iteration, in odd iterations.
  const training = compare(['r'], { metric: 'training' })
  assert.deepEqual(
    training.tasks[0].methods[0].scores.map(({ score }) => score),
    [90, 90, 90, 50, 10],
  )
  assert.throws(() => compare(['r/young']), saying('nothing can be compared', 'r/young', 'no evaluation'))
})

test('a single run has no interval, and steps to a level need a gain', (t) => {
  workIn(t)
  makeRun('only', { evaluations: [5, 4] })
  const comparison = compare(['only'])
  const [{ methods, target, improvements }] = comparison.tasks
  assert.deepEqual(
    [methods[0].sd, methods[0].meanInterval, methods[0].iqmInterval, target, improvements],
    [null, null, null, null, []],
  )
  assert.match(asText(comparison), /\nhatrpo +1 +4\.00 +– +– +4\.00 +– +–\n/)
  assert.ok(comparison.notes.some((note) => note.endsWith('one run of hatrpo: no deviation and no interval')))
})

test('tasks are combined on normalised scores, and distinguished by their options', (t) => {
  workIn(t)
  makeSeeds('a', [10, 20])
  makeSeeds('b', [100, 400], 'env.version=v5')
  makeSeeds('c', [100], 'algo=happo')
  const { tasks, overall, notes } = compare(['a', 'b', 'c'])
  const names = ['v4', 'v5'].map(
    (version) => `mamujoco/HalfCheetah-2x3 (version=${version === 'v4' ? 'none' : version})`,
  )
  assert.deepEqual(
    tasks.map(({ task }) => task),
    names,
  )
  assert.deepEqual(overall!.scale, { [names[0]]: { low: 0, high: 100 }, [names[1]]: { low: 0, high: 400 } })
  const [{ method, mean, runs }] = overall!.methods
  assert.deepEqual([method, mean, runs, overall!.methods.length], ['hatrpo', (0.15 + 0.625) / 2, 4, 1])
  assert.ok(
    notes.includes(`happo has no runs on ${names[1]}: it is omitted from the comparison over all tasks`),
  )
  const scale = { [names[0]]: { low: 0, high: 10 }, [names[1]]: { low: 100, high: 200 } }
  assert.equal(compare(['a', 'b'], { scale }).overall!.methods[0].mean, (1.5 + 1.5) / 2)
  const unknown = { other: { low: 0, high: 1 } }
  assert.throws(() => compare(['a', 'b'], { scale: unknown }), saying('the scale of other', names[0]))
})

test('folders that are not runs are refused', (t) => {
  workIn(t)
  makeSeeds('a', [1])
  mkdirSync('empty')
  mkdirSync('torn')
  writeFileSync('torn/config.json', '{')
  writeFileSync('file', '')
  symlinkSync('a', 'link')
  assert.equal(compare(['a', 'link']).tasks[0].methods[0].runs, 1)
  for (const [run, ...words] of [
    ['nowhere', 'no run at "nowhere"'],
    ['empty', '"empty" holds no run', 'config.json'],
    ['file', '"file" is a file'],
    ['torn', 'torn/config.json is damaged'],
    ['x=', '"x=" names no runs', 'NAME=FOLDER,FOLDER'],
  ])
    assert.throws(() => compare([run]), saying(...words), run)
  assert.throws(() => compare(['a'], { share: 2 }), saying('share is 2', 'at most 1'))
  assert.throws(() => compare(['a'], { resamples: 0.5 }), saying('resamples is 0.5', 'a whole number'))
  assert.throws(() => compare(['x=a', 'y=a']), saying('a/s1 is given as x and as y'))
  writeFileSync('a/s1/eval.json', '{"a":')
  assert.throws(() => compare(['a']), saying('a/s1/eval.json is damaged'))
})

test('the curve of the README is drawn from the stored results', () => {
  const results = ['HATRPO=HalfCheetah-2x3-hatrpo', 'HAPPO=HalfCheetah-2x3-happo']
  const runs = results.map((group) => group.replace('=', `=${join(root, 'docs/results')}/`))
  const comparison = compare(runs)
  // The table of docs/results/README.md.
  const [{ methods }] = comparison.tasks
  assert.deepEqual(
    methods.map(({ mean }) => Math.round(mean)),
    [3078, 3937],
  )
  const svg = svgFile(curvesPicture(comparison, { title: 'HalfCheetah-2x3' }))
  assert.equal(svg, readFileSync(join(root, 'docs/learning-curve.svg'), 'utf8'))
})

test('pictures have names, axes, units, both themes, and no markup from names; a page loads nothing', (t) => {
  workIn(t)
  makeSeeds('a', [10, 20])
  makeSeeds('b', [30], 'algo=happo', 'env.version=v5')
  const comparison = compare(['<i>&"=a', 'b'])
  const svg = svgFile(curvesPicture(comparison, { x: 'time' }))
  assert.match(svg, /^<svg [^>]*role="img" aria-labelledby="curves-title curves-desc"/)
  assert.match(
    svg,
    /<title id="curves-title">[^<]+<\/title>\n<desc id="curves-desc">[^<]*95 % bootstrap interval[^<]+<\/desc>/,
  )
  assert.match(svg, />wall time of training \(seconds\)<.*>evaluation return, IQM</s)
  assert.match(svg, /prefers-color-scheme:dark/)
  assert.match(svg, />&lt;i&gt;&amp;&quot; \(2 runs\)</)
  // A band for two runs, a line for each method, in the colours of the legend; nothing that is not a number.
  assert.equal(svg.match(/<polygon/g)!.length, 1)
  assert.equal(svg.match(/<polyline class="line s0"/g)!.length, 1)
  assert.equal(svg.match(/<polyline class="line s1"/g)!.length, 1)
  assert.doesNotMatch(svg, /NaN|Infinity|undefined|<i>/)
  const page = htmlPage(comparison, { title: '<b>' })
  const [, style] = /<style>([^]*?)<\/style>/.exec(page)!
  const hash = createHash('sha256').update(style).digest('base64')
  assert.ok(
    page.includes(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    ),
  )
  assert.doesNotMatch(page, /<script|\bstyle="|\bsrc=|href=|url\(|@import|<b>|<i>|NaN|Infinity|undefined/)
  assert.equal(page.match(/<style>/g)!.length, 1)
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length)
})

test('a damaged metrics.jsonl is reported, and its run has no wall time', (t) => {
  workIn(t)
  makeSeeds('a', [10, 20])
  const path = 'a/s1/metrics.jsonl'
  const lines = readFileSync(path, 'utf8').split('\n')
  lines[2] = lines[2].slice(0, 20)
  writeFileSync(path, lines.join('\n'))
  const comparison = compare(['a'])
  assert.ok(
    comparison.notes.includes('a/s1: metrics.jsonl is damaged or missing after 8000 of 40000 steps'),
    comparison.notes.join('\n'),
  )
  assert.equal(comparison.tasks[0].methods[0].runs, 2)
  const svg = svgFile(curvesPicture(comparison, { x: 'time' }))
  assert.match(svg, />hatrpo \(2 runs, wall time unknown\)</)
  assert.match(svgFile(curvesPicture(comparison)), />hatrpo \(2 runs\)</)
})

test('the progress of a comparison is reported', (t) => {
  workIn(t)
  makeSeeds('a', [10, 20])
  makeSeeds('b', [30], 'env.version=v5')
  const phases: string[] = []
  compare(['a', 'b'], { onPhase: (phase) => phases.push(phase) })
  assert.deepEqual(phases, [
    'looking for runs',
    ...[1, 2, 3].map((k) => `reading run ${k} of 3`),
    'resampling 2 runs on mamujoco/HalfCheetah-2x3 (version=none)',
    'resampling 1 run on mamujoco/HalfCheetah-2x3 (version=v5)',
    'resampling over all tasks',
  ])
})

test('runs become one tree of marl-eval with absolute metrics', async (t) => {
  workIn(t)
  makeSeeds('a', [10, 20])
  makeSeeds('b', [40], 'algo=happo')
  const { entries } = compareWithRuns({ runs: ['a', 'b'], resamples: 100 })
  const notes: string[] = []
  const onNote = (note: string) => void notes.push(note)
  const tree = await marlEval(entries, { absolute: 'recorded', onNote })
  const { hatrpo, happo } = tree.mamujoco['HalfCheetah-2x3']
  assert.deepEqual(Object.keys(hatrpo), ['seed_1', 'seed_2'])
  assert.deepEqual(hatrpo.seed_2.step_4, { step_count: 40000, return: [19, 21] })
  assert.deepEqual(hatrpo.seed_2.absolute_metrics, { return: [19, 21] })
  assert.deepEqual(Object.keys(happo.seed_1).length, 6)
  assert.deepEqual(notes, ['marl-eval needs the same number of runs of every algorithm; here they are 2 / 1'])
  const early = await marlEval(entries, { absolute: 'recorded', at: 16000 })
  assert.deepEqual(early.mamujoco['HalfCheetah-2x3'].happo.seed_1.absolute_metrics, { return: [9, 11] })
  await assert.rejects(
    marlEval(entries),
    saying('a/s1 has no checkpoint of its best evaluation, after 40000 steps', '--absolute recorded'),
  )
})
