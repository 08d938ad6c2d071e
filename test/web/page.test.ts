import assert from 'node:assert/strict'
import test from 'node:test'
import { align, curvesOf, MOST_POINTS, nearest, smooth, thin } from '../../src/web/page/curves.js'
import { differences } from '../../src/web/page/differences.js'
import { type PageRun, Store } from '../../src/web/page/store.js'
import { duration, short } from '../../src/web/page/text.js'
import type { Columns, RunUpdate } from '../../src/web/updates.js'

const facts = {
  id: 3,
  name: 'a',
  state: 'running',
  generation: 0,
  rows: 0,
  config: {},
  agents: ['x', 'y'],
} as const

function update(columns: Columns, other: Partial<RunUpdate> = {}): { runs: RunUpdate[]; more: boolean } {
  return { runs: [{ ...facts, columns, ...other }], more: false }
}

/** A run of three iterations. */
function someRun(): PageRun {
  const store = new Store()
  const values = { 'x/kl': [1, null, 3], 'y/kl': [3, null, 5], speed: [null, 8, 9] }
  const evaluations = { steps: [20, 25, 30], means: [7, 8, null] }
  store.apply(update({ from: 0, steps: [10, 20, 30], seconds: [1, 2, 3], values }, { evaluations }))
  return store.runs.get(3)!
}

const plain = { x: 'steps', agents: 'mean', smoothing: 0 } as const

test('rows are assembled from responses, and start again with a new generation', () => {
  const store = new Store()
  store.apply(update({ from: 0, steps: [1, 2], seconds: [1, 2], values: { a: [5, 6] } }))
  assert.deepEqual([...store.seen([3, 4])], [[3, { generation: 0, rows: 2 }]])
  const late = { from: 2, steps: [3], seconds: [3], values: { b: [7] } }
  store.apply(update(late))
  // The same rows a second time, as an answer to an earlier request brings them.
  store.apply(update(late))
  const run = store.runs.get(3)!
  assert.deepEqual(Object.fromEntries(run.values), { a: [5, 6, null], b: [null, null, 7] })
  assert.deepEqual(
    [run.steps, run.seconds],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  )
  store.apply(update({ from: 0, steps: [9], seconds: [1], values: {} }, { generation: 1 }))
  assert.deepEqual([run.steps, [...run.values]], [[9], []])
  store.apply({ runs: [], more: false })
  assert.equal(store.runs.size, 0)
})

test('curves of agents are their mean or one each, without gaps', () => {
  const run = someRun()
  const series = { name: 'kl', label: '', ofAgents: true } as const
  assert.deepEqual(curvesOf(run, series, plain), [{ x: [10, 30], y: [2, 4], every: 1 }])
  assert.deepEqual(curvesOf(run, { ...series, factor: 100 }, { ...plain, x: 'time', agents: 'each' }), [
    { x: [1, 3], y: [100, 300], every: 1, agent: 'x' },
    { x: [1, 3], y: [300, 500], every: 1, agent: 'y' },
  ])
  assert.deepEqual(curvesOf(run, { name: 'speed', label: '' }, plain), [{ x: [20, 30], y: [8, 9], every: 1 }])
  assert.deepEqual(curvesOf(run, { name: 'missing', label: '' }, plain), [])
})

test('evaluations have their own steps, and the times of the iterations before them', () => {
  const series = { name: 'return/evaluation', label: '' }
  assert.deepEqual(curvesOf(someRun(), series, plain), [{ x: [20, 25], y: [7, 8], every: 1 }])
  assert.deepEqual(curvesOf(someRun(), series, { ...plain, x: 'time' }), [{ x: [2], y: [7], every: 1 }])
})

test('smoothing is an exponential mean whose weights add up to 1', () => {
  assert.deepEqual(smooth([4, 8, 0], 0), [4, 8, 0])
  // Weights 1/2, 1/4, 1/8 from the last value back, over their sum.
  const expected = [4, (8 / 2 + 4 / 4) / (3 / 4), (8 / 4 + 4 / 8) / (7 / 8)]
  smooth([4, 8, 0], 0.5).forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12))
  for (const value of smooth(new Array<number>(50).fill(3), 0.99)) assert.ok(Math.abs(value - 3) < 1e-12)
})

test('a shortened curve keeps its order and every peak', () => {
  const x = Array.from({ length: 10_007 }, (_, i) => i)
  const y = x.map((i) => (i * 7919) % 10_007)
  y[5000] = 1e6
  y[7001] = -1e6
  const thinned = thin({ x, y }, MOST_POINTS)
  assert.ok(thinned.x.length <= MOST_POINTS)
  assert.ok(thinned.every > 1)
  assert.ok(thinned.x.every((value, i) => i === 0 || thinned.x[i - 1] < value))
  assert.ok(thinned.x.every((value, i) => thinned.y[i] === y[value]))
  for (const peak of [5000, 7001]) assert.ok(thinned.x.includes(peak))
  assert.equal(thin({ x, y }, x.length).every, 1)
})

test('curves are aligned over the union of their x values', () => {
  const curves = [
    { x: [1, 3], y: [10, 30] },
    { x: [2, 3], y: [-2, -3] },
  ]
  assert.deepEqual(align(curves), [
    [1, 2, 3],
    [10, undefined, 30],
    [undefined, -2, -3],
  ])
  assert.deepEqual(
    [-5, 1.4, 1.6, 9].map((value) => nearest([0, 1, 2, 4], value)),
    [0, 1, 2, 3],
  )
  assert.equal(nearest([7], 0), 0)
})

test('differences of configurations list the runs with each value', () => {
  const configs = [
    { algo: '"a"', seed: '1', lr: '0.1' },
    { algo: '"a"', seed: '2' },
    { algo: '"b"', seed: '2' },
  ]
  const { differing, partial } = differences(configs)
  assert.deepEqual(differing, [
    {
      key: 'algo',
      choices: [
        { value: '"a"', owners: [0, 1], unusual: false },
        { value: '"b"', owners: [2], unusual: true },
      ],
    },
    {
      key: 'seed',
      choices: [
        { value: '1', owners: [0], unusual: true },
        { value: '2', owners: [1, 2], unusual: false },
      ],
    },
  ])
  assert.deepEqual(partial, ['lr'])
  assert.deepEqual(differences([configs[0], configs[0]]), { differing: [], partial: [] })
})

test('numbers and durations are short', () => {
  const numbers = [0, 0.00012345, 0.012345, -3.14159, 999, 1_234_567]
  assert.deepEqual(numbers.map(short), ['0', '1.2e-4', '0.0123', '-3.14', '999', '1.23M'])
  assert.deepEqual([12.4, 99, 130, 6000, 7500].map(duration), [
    '12 s',
    '99 s',
    '2 min',
    '1 h 40 min',
    '2 h 05 min',
  ])
})
