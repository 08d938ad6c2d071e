import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../../scripts/plot.mjs', import.meta.url))

/** Draws from `files` (path to content). @returns the SVG, or what went wrong */
function plot(
  files: Record<string, string>,
  args: string[],
): { svg: string; stderr: string; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-plot-'))
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    const command = [script, '--out', 'out.svg', ...args]
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' })
    return { svg: status === 0 ? readFileSync(join(folder, 'out.svg'), 'utf8') : '', stderr, status }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const line = (steps: number, evaluation: number | null, episodeReturn: number): string =>
  JSON.stringify({
    steps,
    evaluation: evaluation === null ? undefined : { mean: evaluation },
    episodeReturn: { mean: episodeReturn },
  })
const metrics = (...lines: string[]): string => `${lines.join('\n')}\n`

function points(svg: string, element: 'polyline' | 'polygon'): number[][] {
  const list = new RegExp(`<${element}[^>]* points="([^"]+)"`).exec(svg)?.[1]
  assert.ok(list, `an SVG with a ${element}`)
  return list.split(' ').map((pair) => pair.split(',').map(Number))
}

test('the line is the mean and the band one standard deviation to each side', () => {
  // Means 0, 200, 400 and deviations 0, 100, 0: the axes run from 0 to 400 in both.
  const { svg } = plot(
    {
      'a/metrics.jsonl': metrics(line(0, 0, 9), line(200, 100, 9), line(400, 400, 9)),
      'b/metrics.jsonl': metrics(line(0, 0, 9), line(200, 300, 9), line(400, 400, 9)),
    },
    ['cheetah=a,b'],
  )
  const centre = points(svg, 'polyline')
  assert.deepEqual(
    centre.map(([x]) => x),
    [70, 405, 740],
  )
  assert.deepEqual(
    centre.map(([, y]) => y),
    [372, 212, 52],
  )
  assert.deepEqual(
    points(svg, 'polygon').map(([, y]) => y),
    [372, 132, 52, 52, 292, 372],
  )
  assert.match(svg, /cheetah \(2 runs\)/)
})

test('curves of different steps are interpolated where they overlap', () => {
  const { svg } = plot(
    {
      'a/metrics.jsonl': metrics(line(0, 0, 0), line(400, 400, 0)),
      'b/metrics.jsonl': metrics(line(0, 0, 0), line(200, 200, 0), line(300, 300, 0)),
    },
    ['both=a,b'],
  )
  const drawn = points(svg, 'polyline')
  assert.equal(drawn.length, 3)
  const slopes = drawn.slice(1).map(([x = 0, y = 0]) => (372 - y) / (x - 70))
  assert.ok(Math.abs(slopes[0] - slopes[1]) < 1e-3, `one straight line, not ${slopes.join(', ')}`)
})

test('runs without evaluations in metrics.jsonl use eval.json, then the training return', () => {
  const training = metrics(line(0, null, 0), line(100, null, 100))
  const steps = { step_0: { step_count: 0, return: [1, 3] }, step_1: { step_count: 100, return: [5, 7] } }
  const evaluations = JSON.stringify({
    mamujoco: { Cheetah: { hatrpo: { seed_1: { ...steps, absolute_metrics: { return: [9] } } } } },
  })
  const files = { 'a/metrics.jsonl': training }
  assert.match(plot(files, ['a']).svg, />training return</)
  const evaluated = plot({ ...files, 'a/eval.json': evaluations }, ['a']).svg
  assert.match(evaluated, />evaluation return</)
  assert.equal(points(evaluated, 'polyline').length, 2)
  assert.match(
    plot({ ...files, 'a/eval.json': evaluations }, ['--metric', 'episodeReturn', 'a']).svg,
    />training return</,
  )
})

test('the curve is readable in a dark theme, and labels cannot break the file', () => {
  const { svg } = plot({ 'a/metrics.jsonl': metrics(line(0, 0, 0), line(1, 1, 1)) }, ['<b>&"=a'])
  assert.match(svg, /prefers-color-scheme:\s*dark/)
  assert.match(svg, /&lt;b&gt;&amp;&quot; \(1 run\)/)
  assert.doesNotMatch(svg, /<b>/)
})

test('wrong input gets one line that says what is wrong, exit code 2', () => {
  const files = { 'a/metrics.jsonl': metrics(line(0, 0, 0)), 'torn/metrics.jsonl': '{"steps":' }
  const wrong: [string[], RegExp][] = [
    [['nowhere'], /^plot: nowhere does not exist: .+\n$/],
    [['torn'], /^plot: line 1 of .+ is not JSON\n$/],
    [['--metric', 'reward', 'a'], /^plot: --metric is reward: it must be one of .+\n$/],
    [[], /^plot: no run is given: .+\n$/],
  ]
  for (const [args, message] of wrong) {
    const { stderr, status } = plot(files, args)
    assert.match(stderr, message)
    assert.equal(status, 2)
  }
})
