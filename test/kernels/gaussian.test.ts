import assert from 'node:assert/strict'
import test from 'node:test'
import { close } from '../reference/close.js'
import {
  deviation,
  directional,
  gamma,
  gaussianKl,
  gradient,
  logProb,
  normals,
  rowsOf,
  sum,
  surrogate,
  U,
} from '../reference/dense.js'
import { arena, bits, f32, f64, i32, kernels } from './harness.js'

const EPS = 2 ** -52
const X = 1.3
const Y = 0.7

function tableOf(logStd: ArrayLike<number>, x = X, y = Y): Float64Array {
  const table = f64(4 * logStd.length)
  kernels.gaussianTable(f32(logStd).byteOffset, x, y, table.byteOffset, logStd.length)
  return table
}

const sigmas = (logStd: ArrayLike<number>) => Array.from(logStd, (v) => deviation(v, X, Y))

test('the table holds sigma, log sigma, 1 / sigma^2 and d log sigma / d log_std', () => {
  const logStd = Float32Array.from([-3, -0.5, 0, 0.5, 1, 2.5, 8])
  const table = tableOf(logStd)
  logStd.forEach((value, j) => {
    const sigma = deviation(value, X, Y)
    const [slope] = directional((t) => [Math.log(deviation(value + t, X, Y))], 1e-3)
    const want = [sigma, Math.log(sigma), 1 / (sigma * sigma), slope]
    // exp64 and log64 have an error of one ulp. The bound of log sigma is absolute, because log sigma has a zero.
    // Differences have an error of 1e-12.
    const bound = [8 * EPS * sigma, 16 * EPS, (16 * EPS) / (sigma * sigma), 2e-12]
    close(table.subarray(4 * j, 4 * j + 4), want, (i) => bound[i], `log_std ${value}`)
  })
})

test('log_std = x starts at sigma = y sigmoid(1)', () => {
  close([tableOf([1], 1, 0.5)[0]], [0.5 / (1 + Math.exp(-1))], EPS, 'sigma')
})

test('log-probabilities agree with f64 arithmetic to one rounding', () => {
  for (const size of [1, 2, 3, 6, 17]) {
    const rows = 11
    const logStd = normals(size, 1)
    const [mean, action, out] = [normals(rows * size, 2), normals(rows * size, 3), f32(rows).fill(7)]
    const table = tableOf(logStd).byteOffset
    kernels.gaussianLogProb(
      f32(mean).byteOffset,
      f32(action).byteOffset,
      table,
      size,
      out.byteOffset,
      1,
      rows,
    )
    assert.equal(out[0], 7)
    const actions = rowsOf(action, size)
    const want = rowsOf(mean, size).map((row, r) => logProb(actions[r], row, sigmas(logStd)))
    close(out.subarray(1), want.slice(1), (r) => U * Math.abs(want[r + 1]) + 1e-11, `size ${size}`)
  }
})

test('a sample is mean + sigma z, where z depends on environment and step but not on the row', () => {
  const [size, rows, seed, purpose] = [3, 5, 0x1_2345_6789, 4]
  const [low, high] = [seed >>> 0, Math.floor(seed / 2 ** 32)]
  const logStd = normals(size, 1)
  const table = tableOf(logStd)
  const mean = f32(normals(rows * size, 2))
  const [streams, steps] = [i32(rows), i32(rows)]
  streams.set([3, 1, 4, 1, 5])
  steps.set([9, 2, 6, 2, 3])
  const draw = (from: number, to: number) => {
    const [action, out] = [f32(rows * size), f32(rows)]
    kernels.gaussianSample(
      mean.byteOffset,
      table.byteOffset,
      size,
      low,
      high,
      purpose,
      streams.byteOffset,
      steps.byteOffset,
      action.byteOffset,
      out.byteOffset,
      from,
      to,
    )
    return { action, out }
  }
  const { action, out } = draw(0, rows)
  const noise = (r: number, j: number) => kernels.normal64(low, high, purpose, streams[r], steps[r], j)
  action.forEach((a, i) => {
    const [r, j] = [Math.floor(i / size), i % size]
    assert.equal(a, Math.fround(mean[i] + table[4 * j] * noise(r, j)))
  })
  assert.notEqual(noise(0, 0), noise(1, 0))
  assert.equal(noise(1, 0), noise(3, 0), 'rows 1 and 3 are the same environment and step')
  const again = f32(rows)
  kernels.gaussianLogProb(
    mean.byteOffset,
    action.byteOffset,
    table.byteOffset,
    size,
    again.byteOffset,
    0,
    rows,
  )
  assert.deepEqual(bits(out), bits(again))
  const part = draw(2, 4)
  assert.deepEqual(bits(part.action.subarray(2 * size, 4 * size)), bits(action.subarray(2 * size, 4 * size)))
})

interface PolicyBatch {
  readonly rows: number
  readonly size: number
  readonly logStd: Float32Array
  readonly oldMean: Float32Array
  readonly mean: Float32Array
  readonly action: Float32Array
  readonly m: Float32Array
  readonly weight: Float32Array
  readonly oldLogProb: Float32Array
}

/** Batch of actions near the old policy. Rows 3k have weight 0. */
function policyBatch(rows: number, size: number, seed: number): PolicyBatch {
  const logStd = normals(size, seed)
  const oldMean = normals(rows * size, seed + 1)
  const mean = oldMean.map((v, i) => v + 0.05 * normals(rows * size, seed + 2)[i])
  const action = normals(rows * size, seed + 3)
  const m = normals(rows, seed + 4)
  const weight = Float32Array.from({ length: rows }, (_, r) => (r % 3 === 0 ? 0 : 1))
  const sigma = sigmas(logStd)
  const old = rowsOf(oldMean, size).map((row, r) => logProb(rowsOf(action, size)[r], row, sigma))
  return { rows, size, logStd, oldMean, mean, action, m, weight, oldLogProb: Float32Array.from(old) }
}

function surrogateOf(batch: PolicyBatch, clip: number | null, accumulate = 0) {
  const { rows, size } = batch
  const [gmean, glogStd, out, sums] = [f32(rows * size).fill(7), f32(size).fill(7), f32(rows), f64(3)]
  kernels.gaussianSurrogate(
    f32(batch.mean).byteOffset,
    tableOf(batch.logStd).byteOffset,
    size,
    f32(batch.action).byteOffset,
    f32(batch.oldLogProb).byteOffset,
    f32(batch.m).byteOffset,
    f32(batch.weight).byteOffset,
    clip ?? -1,
    gmean.byteOffset,
    glogStd.byteOffset,
    out.byteOffset,
    sums.byteOffset,
    0,
    rows,
    accumulate,
  )
  return { gmean, glogStd, out, sums }
}

/** Objective in f64 as a function of means and log_std. */
function objective(
  batch: PolicyBatch,
  clip: number | null,
  mean: ArrayLike<number>,
  logStd: ArrayLike<number>,
) {
  const sigma = sigmas(logStd)
  const actions = rowsOf(batch.action, batch.size)
  const terms = rowsOf(mean, batch.size).map((row, r) => {
    const ratio = Math.exp(logProb(actions[r], row, sigma) - batch.oldLogProb[r])
    return batch.weight[r] * surrogate(ratio, batch.m[r], clip)
  })
  return sum(terms)
}

for (const clip of [null, 0.2]) {
  const name = clip === null ? 'the surrogate' : 'the clipped surrogate'
  test(`${name} and its gradient agree with f64 arithmetic and finite differences`, () => {
    for (const size of [1, 3, 6]) {
      const batch = policyBatch(40, size, 10 * size)
      const { gmean, glogStd, out, sums } = surrogateOf(batch, clip)
      const sigma = sigmas(batch.logStd)
      const actions = rowsOf(batch.action, size)
      const logProbs = rowsOf(batch.mean, size).map((row, r) => logProb(actions[r], row, sigma))
      const ratios = logProbs.map((v, r) => Math.exp(v - batch.oldLogProb[r]))
      close(out, logProbs, (r) => U * Math.abs(logProbs[r]) + 1e-11, 'log-probability')
      // The new log-probability is rounded to f32, which changes the ratio by U |log pi|.
      const ratioError = 2 * U * Math.max(...logProbs.map(Math.abs)) + 1e-10
      const size1 = sum(ratios.map((v, r) => batch.weight[r] * v * Math.abs(batch.m[r])))
      close([sums[0]], [objective(batch, clip, batch.mean, batch.logStd)], ratioError * size1, 'objective')
      assert.equal(sums[1], sum(batch.weight))
      const outside = ratios.filter((v, r) => clip !== null && batch.weight[r] > 0 && Math.abs(v - 1) > clip)
      assert.equal(sums[2], outside.length)

      const slopes = gradient((x) => objective(batch, clip, x, batch.logStd), batch.mean, 1e-5)
      const relative = ratioError + 2 * U
      close(gmean, slopes, (i) => relative * Math.abs(slopes[i]) + 1e-8, 'd objective / d mean')
      const slope = gradient((x) => objective(batch, clip, batch.mean, x), batch.logStd, 1e-5)
      // f32 sums over 40 rows of terms no larger than |ratio M| (z^2 + 1) / x.
      const terms = Array.from({ length: size }, (_, j) =>
        sum(
          ratios.map((v, r) => {
            const z = (batch.action[r * size + j] - batch.mean[r * size + j]) / sigma[j]
            return (Math.abs(v * batch.m[r]) * (z * z + 1)) / X
          }),
        ),
      )
      close(glogStd, slope, (j) => (gamma(40) + relative) * terms[j] + 1e-8, 'd objective / d log_std')
    }
  })
}

test('the clip removes the gradient only where the ratio moves in the direction favoured by M', () => {
  const action = [0.4]
  const sigma = sigmas([0])
  const cases = [
    { shift: 0.3, m: 1, slope: false },
    { shift: 0.3, m: -1, slope: true },
    { shift: -0.3, m: 1, slope: true },
    { shift: -0.3, m: -1, slope: false },
  ]
  for (const { shift, m, slope } of cases) {
    const old = logProb(action, [0.1], sigma)
    const batch: PolicyBatch = {
      rows: 1,
      size: 1,
      logStd: Float32Array.of(0),
      oldMean: Float32Array.of(0.1),
      mean: Float32Array.of(0.1),
      action: Float32Array.from(action),
      m: Float32Array.of(m),
      weight: Float32Array.of(1),
      oldLogProb: Float32Array.of(old - shift),
    }
    const { gmean, glogStd, sums } = surrogateOf(batch, 0.2)
    const ratio = Math.exp(shift)
    close([sums[0]], [surrogate(ratio, m, 0.2)], 4 * U, `ratio ${ratio}, M ${m}`)
    assert.equal(sums[2], 1)
    assert.equal(gmean[0] !== 0, slope)
    assert.equal(glogStd[0] !== 0, slope)
  }
})

test('rows of weight 0 contribute to no sum, whatever their content, and have gradient 0', () => {
  const batch = policyBatch(12, 3, 5)
  const want = surrogateOf(batch, null)
  for (let r = 0; r < 12; r += 3) {
    batch.m[r] = 1e30
    batch.oldLogProb[r] = -1e4
    batch.action.fill(1e6, 3 * r, 3 * r + 3)
  }
  const got = surrogateOf(batch, null)
  assert.deepEqual(got.sums, want.sums)
  assert.deepEqual(bits(got.gmean), bits(want.gmean))
  assert.deepEqual(bits(got.glogStd), bits(want.glogStd))
  assert.ok(got.gmean.subarray(0, 3).every((v) => v === 0))
})

test('with accumulate, the gradient of log_std is added to the content of its array', () => {
  const batch = policyBatch(9, 3, 8)
  // surrogateOf fills its output with 7.
  const [stored, added] = [surrogateOf(batch, 0.2), surrogateOf(batch, 0.2, 1)]
  const bound = (j: number) => 10 * U * (7 + Math.abs(stored.glogStd[j]))
  close(
    added.glogStd,
    Array.from(stored.glogStd, (v) => 7 + v),
    bound,
    'surrogate',
  )
  assert.deepEqual([added.sums, added.gmean], [stored.sums, stored.gmean])

  const [tangent, direction, weight] = [f32(normals(9 * 3, 1)), f32(normals(3, 2)), f32(batch.weight)]
  const fisher = (accumulate: number) => {
    const [gmean, glogStd] = [f32(9 * 3), f32(3).fill(7)]
    const table = tableOf(batch.logStd).byteOffset
    const at = [tangent, direction].map((v) => v.byteOffset)
    const out = [weight, gmean, glogStd].map((v) => v.byteOffset)
    kernels.gaussianFisher(...at, table, 3, ...out, 0, 9, accumulate)
    return glogStd
  }
  const once = fisher(0)
  assert.deepEqual(
    fisher(1),
    once.map((v) => Math.fround(7 + v)),
  )
})

test('at the old parameters every ratio is exactly 1', () => {
  const batch = policyBatch(20, 3, 6)
  const first = surrogateOf({ ...batch, mean: batch.oldMean }, null)
  const again = surrogateOf({ ...batch, mean: batch.oldMean, oldLogProb: Float32Array.from(first.out) }, 0)
  const total = batch.m.reduce((all, v, r) => all + batch.weight[r] * v, 0)
  assert.equal(again.sums[0], total)
  assert.equal(again.sums[2], 0)
})

test('values are the same without a gradient', () => {
  const batch = policyBatch(10, 2, 7)
  const want = surrogateOf(batch, 0.2)
  const [out, sums] = [f32(10), f64(3)]
  const at = (v: Float32Array) => f32(v).byteOffset
  kernels.gaussianSurrogate(
    at(batch.mean),
    tableOf(batch.logStd).byteOffset,
    2,
    at(batch.action),
    at(batch.oldLogProb),
    at(batch.m),
    at(batch.weight),
    0.2,
    0,
    0,
    out.byteOffset,
    sums.byteOffset,
    0,
    10,
  )
  assert.deepEqual(sums, want.sums)
  assert.deepEqual(bits(out), bits(want.out))
})

function klOf(
  size: number,
  oldMean: Float32Array,
  oldLogStd: Float32Array,
  mean: Float32Array,
  logStd: Float32Array,
  weight: Float32Array,
) {
  const sums = f64(2)
  kernels.gaussianKl(
    f32(oldMean).byteOffset,
    tableOf(oldLogStd).byteOffset,
    f32(mean).byteOffset,
    tableOf(logStd).byteOffset,
    size,
    f32(weight).byteOffset,
    sums.byteOffset,
    0,
    weight.length,
  )
  return sums
}

test('KL(old || new) is the integral of old log(old / new)', () => {
  for (const [m0, s0, m1, s1] of [
    [0.1, 0, -0.2, 0.4],
    [0, -1, 0.3, 1],
    [1, 0.5, 1, -0.5],
  ] as const) {
    const of = (v: number) => Float32Array.of(v)
    const got = klOf(1, of(m0), of(s0), of(m1), of(s1), of(1))[0]
    const [a, b] = [deviation(of(s0)[0], X, Y), deviation(of(s1)[0], X, Y)]
    // The trapezoidal rule converges geometrically for an integrand that vanishes at both ends.
    const n = 4000
    let total = 0
    for (let i = 0; i <= n; i++) {
      const x = of(m0)[0] + a * (-12 + (24 * i) / n)
      const [p, q] = [logProb([x], of(m0), [a]), logProb([x], of(m1), [b])]
      total += Math.exp(p) * (p - q)
    }
    close([got], [(total * 24 * a) / n], 1e-12, 'KL')
  }
})

test('the KL is a sum over rows of weight 1 and exactly 0 between equal policies', () => {
  for (const size of [1, 3, 6]) {
    const { oldMean, mean, logStd, weight } = policyBatch(30, size, 20 + size)
    const newLogStd = logStd.map((v) => v + 0.1)
    const got = klOf(size, oldMean, logStd, mean, newLogStd, weight)
    const rows = rowsOf(mean, size)
    const terms = rowsOf(oldMean, size).map(
      (row, r) => weight[r] * gaussianKl(row, sigmas(logStd), rows[r], sigmas(newLogStd)),
    )
    close(got, [sum(terms), sum(weight)], 1e-12, 'sums')
    // 1 / sigma^2 times sigma^2 is 1 to one or two ulp, in each of the 20 valid rows and each dimension.
    close(
      klOf(size, mean, logStd, mean, logStd, weight),
      [0, sum(weight)],
      4 * EPS * size * 20,
      'same policy',
    )
  }
})

test('the Fisher product is the Hessian of the KL, row by row and for log_std', () => {
  for (const size of [1, 3]) {
    const rows = 7
    const { logStd, oldMean, weight } = policyBatch(rows, size, 30 + size)
    const [dmean, dlogStd] = [normals(rows * size, 1), normals(size, 2)]
    const [tangent, glogStd] = [f32(dmean), f32(size)]
    kernels.gaussianFisher(
      tangent.byteOffset,
      f32(dlogStd).byteOffset,
      tableOf(logStd).byteOffset,
      size,
      f32(weight).byteOffset,
      tangent.byteOffset,
      glogStd.byteOffset,
      0,
      rows,
    )
    const kl = (mean: ArrayLike<number>, ls: ArrayLike<number>) => {
      const moved = rowsOf(mean, size)
      const terms = rowsOf(oldMean, size).map(
        (row, r) => weight[r] * gaussianKl(row, sigmas(logStd), moved[r], sigmas(ls)),
      )
      return sum(terms)
    }
    // H v is the derivative of the gradient along v. Both are differences in f64, with errors of 1e-4^4 and 1e-16 / 1e-6.
    const at = (p: Float32Array, d: Float32Array, t: number) => Float64Array.from(p, (v, i) => v + t * d[i])
    const gmeans = directional((t) => {
      const moved = at(logStd, dlogStd, t)
      return [...gradient((x) => kl(x, moved), at(oldMean, dmean, t), 1e-3)]
    }, 1e-3)
    close(tangent, gmeans, (i) => 2 * U * Math.abs(gmeans[i]) + 1e-7, 'mean')
    const glog = directional((t) => {
      const moved = at(oldMean, dmean, t)
      return [...gradient((x) => kl(moved, x), at(logStd, dlogStd, t), 1e-3)]
    }, 1e-3)
    close(glogStd, glog, (i) => 2 * U * Math.abs(glog[i]) + 1e-7, 'log_std')
  }
})

test('f32 arrays may have an address that is not a multiple of 8', () => {
  const values = f32(normals(7, 1))
  const [mean, action] = [values.subarray(1, 4), values.subarray(4, 7)]
  const out = arena.f32(arena.alloc(8) + 4, 1)
  const logStd = [0, 0.1, 0.2]
  kernels.gaussianLogProb(
    mean.byteOffset,
    action.byteOffset,
    tableOf(logStd).byteOffset,
    3,
    out.byteOffset,
    0,
    1,
  )
  const want = logProb(action, mean, sigmas(Float32Array.from(logStd)))
  close(out, [want], U * Math.abs(want) + 1e-12, 'log-probability')
})
