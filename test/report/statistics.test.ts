import assert from 'node:assert/strict'
import test from 'node:test'
import { bootstrapInterval, bootstrapIntervals, type Interval } from '../../src/report/bootstrap.js'
import { finalMean, methodCurve, nearlyBest, smoothed, type Curve } from '../../src/report/curve.js'
import {
  aggregateIqm,
  aggregateMean,
  deviation,
  interquartileMean,
  mean,
  median,
  probabilityOfImprovement,
  quantile,
  shareAbove,
} from '../../src/report/statistics.js'

const near = (found: number, expected: number, tolerance = 1e-12): void =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${found}, not ${expected}`)

function nearInterval(
  found: Interval | null,
  [low, high]: readonly [number, number],
  tolerance: number,
): void {
  near(found!.low, low, tolerance)
  near(found!.high, high, tolerance)
}

// One list a task, one score a run: six runs of x, seven of y, drawn by numpy.random.RandomState(7) and rounded.
const x = [
  [1.13, 3.36, 1.35, 4.84, 0.41, 0.31],
  [1.68, 5.14, 4.98, 3.75, 6.84, 4.92],
  [0.83, 1.2, 0.92, 0.8, 0.59, 0.27],
]
const y = [
  [1.13, 0.5, 1.48, 0.67, 4.44, 1.65, 0.85],
  [5.85, 0.72, 3.71, 4.79, 2.67, 1.76, 3.73],
  [1.15, 1.55, 1.54, 1.22, 0.24, 1.05, 3.03],
]

test("statistics are rliable's on its own examples", () => {
  // The matrices of rliable's tests/rliable/metrics_test.py, task by task.
  const a = [
    [1, 2, 1, 2],
    [2, 2, 1, 1],
  ]
  const b = [
    [1, 2, 3],
    [1, 2, 3],
  ]
  assert.deepEqual([aggregateMean(a), aggregateIqm(a)], [1.5, 1.5])
  assert.deepEqual([aggregateMean(b), aggregateIqm(b)], [2, 2])
  near(probabilityOfImprovement(a, b), 1 / 3)
  // Those of its library_test.py: numpy.arange(80) as five runs of 16 tasks, against itself with the runs reversed.
  const tasks = Array.from({ length: 16 }, (_, task) => [0, 1, 2, 3, 4].map((run) => 16 * run + task))
  assert.equal(
    probabilityOfImprovement(
      tasks,
      tasks.map((runs) => runs.toReversed()),
    ),
    0.5,
  )
  assert.deepEqual([aggregateMean(tasks), aggregateIqm(tasks)], [39.5, 39.5])
  assert.deepEqual(
    [-1, 0, 39, 79].map((tau) => shareAbove(tasks, tau)),
    [1, 79 / 80, 0.5, 0],
  )
})

test("statistics are those of rliable's metrics.py (2021, scipy 1.17) on drawn scores", () => {
  near(aggregateMean(x), 2.4066666666666667)
  near(aggregateIqm(x), 1.986)
  near(aggregateMean(y), 2.0823809523809524)
  near(aggregateIqm(y), 1.6572727272727272)
  near(probabilityOfImprovement(x, y), 0.47222222222222227)
  near(probabilityOfImprovement(y, x), 0.5277777777777778)
  // numpy.mean(scores > tau)
  const taus = [0.5, 1, 2, 4]
  const profile = [0.8333333333333334, 0.6111111111111112, 0.3888888888888889, 0.2777777777777778]
  taus.forEach((tau, i) => near(shareAbove(x, tau), profile[i]))
})

test('stratified intervals are those of 200,000 resamples in numpy, within the error of sampling', () => {
  // numpy.percentile(..., [2.5, 97.5]) of runs drawn with replacement, task by task; P: 20,000 resamples.
  // The tolerances are about three standard errors of a percentile of 5,000 resamples.
  const options = { resamples: 5000 }
  const both = [aggregateMean, aggregateIqm].map(
    (statistic) =>
      ([sample]: readonly (typeof x)[]) =>
        statistic(sample),
  )
  const [meanOfX, iqmOfX] = bootstrapIntervals([x], both as never, options)
  nearInterval(meanOfX, [1.80388889, 3.02611111], 0.035)
  nearInterval(iqmOfX, [1.184, 2.922], 0.06)
  nearInterval(bootstrapInterval(y, aggregateMean, options), [1.5547619, 2.63763095], 0.035)
  nearInterval(bootstrapInterval(y, aggregateIqm, options), [1.17454545, 2.40909091], 0.05)
  const [improvement] = bootstrapIntervals([x, y], [([a, b]) => probabilityOfImprovement(a, b)], options)
  nearInterval(improvement, [0.3015873, 0.65079365], 0.015)
})

test('closed forms: means, cuts, medians, quantiles, deviations', () => {
  // A quarter of ten, rounded down, is two: the mean of the squares of 2 to 7 (scipy.stats.trim_mean).
  near(interquartileMean(Array.from({ length: 10 }, (_, i) => i * i)), 139 / 6)
  assert.equal(interquartileMean([100, 1, 3, 2]), 2.5)
  assert.equal(interquartileMean([5, 1, 3]), 3)
  assert.equal(interquartileMean([7]), 7)
  assert.equal(deviation([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7))
  assert.ok(Number.isNaN(deviation([3])))
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3]), median([1, Infinity])], [2, 2.5, Infinity])
  assert.deepEqual(
    [0, 0.025, 0.5, 1].map((share) => quantile([0, 10, 20], share)),
    [0, 0.5, 10, 20],
  )
  // One side entirely higher, and a tie.
  assert.equal(probabilityOfImprovement([[2, 3]], [[0, 1]]), 1)
  assert.equal(probabilityOfImprovement([[1]], [[1]]), 0.5)
})

test('the interval of a mean of two scores is exact: its resamples are the ends, each in a quarter, and the middle', () => {
  assert.deepEqual(bootstrapInterval([[0, 1]], aggregateMean, { resamples: 2000 }), { low: 0, high: 1 })
  // Two strata of one spread each: a sum is at an end in one resample of four, and of 16 for four strata.
  const half = (share: number) => (sample: readonly (readonly number[])[]) =>
    quantile(Float64Array.from(sample.flat()).sort(), share)
  assert.deepEqual(
    bootstrapInterval(
      [
        [5, 5],
        [5, 5],
      ],
      half(0.5),
    ),
    { low: 5, high: 5 },
  )
  // The mean of n equal coins is normal: 0.5 -+ 1.96 / (2 sqrt n), here a multiple of 1 / n.
  const coins = Array.from({ length: 400 }, (_, i) => i % 2)
  nearInterval(bootstrapInterval([coins], aggregateMean, { resamples: 3000 }), [0.451, 0.549], 0.005)
})

test('intervals come from the seed alone, and there is none for single runs', () => {
  const of = (seed: number) => bootstrapInterval(x, aggregateIqm, { resamples: 300, seed })
  assert.deepEqual(of(1), of(1))
  assert.notDeepEqual(of(1), of(2))
  assert.equal(bootstrapInterval([[3], [4]], aggregateMean), null)
  // A stratum of one run is always drawn unchanged; the other one is not.
  nearInterval(bootstrapInterval([[3], [0, 2]], aggregateMean, { resamples: 300 }), [1.5, 2.5], 0)
})

test('curves: smoothing, ends, steps to a fraction, and a mean of runs measured at different steps', () => {
  assert.deepEqual(smoothed([1, 3, 5, 7], 2), [1, 2, 4, 6])
  assert.equal(finalMean(Array.from({ length: 20 }, (_, i) => i)), 18.5)
  assert.equal(nearlyBest([-10, -1, -0.2, -0.05, 0, -3], 0.99), 3)
  assert.equal(nearlyBest([4, 3, 2], 0.99), 0)
  const line = (slope: number, ...steps: number[]): Curve =>
    steps.map((at) => ({ steps: at, seconds: at / 10, value: slope * at }))
  const curve = methodCurve([line(1, 0, 400), line(3, 100, 200, 300)], {})
  assert.deepEqual(
    curve.map(({ steps, mean: value, seconds }) => [steps, value, seconds]),
    [
      [100, 200, 10],
      [200, 400, 20],
      [300, 600, 30],
    ],
  )
  assert.deepEqual(curve[0].meanInterval, { low: 100, high: 300 })
  assert.deepEqual(methodCurve([line(1, 0, 100), line(1, 200, 300)], {}), [])
  const [alone] = methodCurve([line(2, 50)], {})
  assert.deepEqual([alone.iqm, alone.iqmInterval], [100, null])
  // No more than 200 points are drawn, the ends among them.
  const long = methodCurve([line(1, ...Array.from({ length: 999 }, (_, i) => i))], {})
  assert.deepEqual([long.length, long[0].steps, long.at(-1)!.steps], [200, 0, 998])
  assert.equal(mean(long.map(({ mean: value }, i) => value - long[i].steps)), 0)
})
