import assert from 'node:assert/strict'
import test from 'node:test'
import { bits, f32, f64, generator, kernels } from './harness.js'

const SIZES = [0, 1, 3, 4, 7, 8, 9, 31, 1000, 4099]

/** n numbers in (-1, 1), as f32. */
function randomVector(n: number, seed: number): Float32Array {
  const random = generator(seed)
  return f32(Float32Array.from({ length: n }, () => 2 * random() - 1))
}

/** Plain implementation of `dot` in its documented order. */
function orderedDot(x: Float32Array, y: Float32Array): number {
  const partial = new Float64Array(8)
  const whole = x.length - (x.length % 8)
  for (let i = 0; i < whole; i++) partial[i % 8] += x[i] * y[i]
  const [s0, s1, s2, s3, s4, s5, s6, s7] = partial as unknown as number[]
  let sum = s0 + s2 + (s4 + s6) + (s1 + s3 + (s5 + s7))
  for (let i = whole; i < x.length; i++) sum += x[i] * y[i]
  return sum
}

test('dot adds in the documented order, to the bit, at any address', () => {
  for (const n of SIZES) {
    const x = randomVector(n + 1, n)
    const y = randomVector(n + 1, n + 1)
    const [a, b] = [x.subarray(0, n), y.subarray(0, n)]
    assert.equal(kernels.dot(a.byteOffset, b.byteOffset, n), orderedDot(a, b))
    assert.equal(kernels.dot(a.byteOffset, a.byteOffset, n), orderedDot(a, a))
    const shifted = [x.subarray(1), y.subarray(1)] as const
    assert.equal(kernels.dot(shifted[0].byteOffset, shifted[1].byteOffset, n), orderedDot(...shifted))
  }
})

test('axpy, scaleAdd, scale, copy and fill equal elementwise f32 arithmetic and write only their elements', () => {
  const alpha = -1.7
  const a = Math.fround(alpha)
  for (const n of SIZES) {
    const x = randomVector(n, n)
    const y = randomVector(n + 1, n + 1)
    const before = [...y]
    const out = f32(n + 1).fill(7)
    kernels.scaleAdd(alpha, x.byteOffset, y.byteOffset, out.byteOffset, n)
    const wanted = [...x].map((v, i) => Math.fround(Math.fround(a * v) + before[i]))
    assert.deepEqual([...out], [...wanted, 7])
    kernels.axpy(alpha, x.byteOffset, y.byteOffset, n)
    assert.deepEqual([...y], [...wanted, before[n]])
    const scaled = [...x].map((v) => Math.fround(a * v))
    kernels.scale(alpha, x.byteOffset, n)
    assert.deepEqual([...x], scaled)
    kernels.copy(x.byteOffset, out.byteOffset, 4 * n)
    assert.deepEqual([...out], [...scaled, 7])
    kernels.fill(out.byteOffset, 0.1, n)
    assert.deepEqual([...out], [...Array<number>(n).fill(Math.fround(0.1)), 7])
  }
})

test('sumPartials adds blocks in ascending order in f64, whatever the split into ranges', () => {
  const n = 61
  for (const blocks of [0, 1, 2, 13]) {
    const partials = randomVector(blocks * n, blocks)
    const scale = 1 / 3
    const wanted = Array.from({ length: n }, (_, j) => {
      let sum = 0
      for (let b = 0; b < blocks; b++) sum += partials[b * n + j]
      return Math.fround(sum * scale)
    })
    for (const cuts of [
      [0, n],
      [0, 1, 6, 7, 40, n],
      [0, 32, n],
    ]) {
      const out = f32(n + 1).fill(7)
      for (let c = 0; c + 1 < cuts.length; c++) {
        kernels.sumPartials(partials.byteOffset, blocks, n, cuts[c], cuts[c + 1], out.byteOffset, scale)
      }
      assert.deepEqual([...out], [...wanted, 7])
    }
  }
})

test('meanAndVariance and standardise count the valid elements only', () => {
  const n = 1001
  const random = generator(5)
  const x = f32(Float32Array.from({ length: n }, () => 1000 + 3 * random()))
  const original = [...x]
  const valid = f32(Float32Array.from({ length: n }, () => (random() < 0.7 ? 1 : 0)))
  const kept = original.filter((_, i) => valid[i] === 1)
  const mean = kept.reduce((sum, v) => sum + v, 0) / kept.length
  const variance = kept.reduce((sum, v) => sum + (v - mean) ** 2, 0) / kept.length
  const out = f64(2)

  assert.equal(kernels.meanAndVariance(x.byteOffset, valid.byteOffset, n, out.byteOffset), kept.length)
  assert.deepEqual([...out], [mean, variance])
  assert.equal(kernels.standardise(x.byteOffset, valid.byteOffset, n, 1e-5, out.byteOffset), kept.length)
  assert.deepEqual(
    [...x],
    original.map((v) => Math.fround((v - mean) / (Math.sqrt(variance) + 1e-5))),
  )

  const ones = f32(n).fill(1)
  const [withPointer, without] = [f64(2), f64(2)]
  kernels.meanAndVariance(x.byteOffset, ones.byteOffset, n, withPointer.byteOffset)
  assert.equal(kernels.meanAndVariance(x.byteOffset, 0, n, without.byteOffset), n)
  assert.deepEqual([...without], [...withPointer])
})

test('standardise leaves a vector without valid elements unchanged and maps a constant vector to zeros', () => {
  const x = f32([1, 2, 3, 4, 5])
  const none = f32(5)
  const out = f64(2).fill(9)
  assert.equal(kernels.standardise(x.byteOffset, none.byteOffset, 5, 1e-5, out.byteOffset), 0)
  assert.deepEqual(
    [[...x], [...out]],
    [
      [1, 2, 3, 4, 5],
      [9, 9],
    ],
  )
  x.fill(0.3)
  kernels.standardise(x.byteOffset, 0, 5, 1e-5, out.byteOffset)
  assert.deepEqual([...x], [0, 0, 0, 0, 0])
})

test('ratioProduct multiplies by the ratio of probabilities', () => {
  for (const n of SIZES) {
    const m = randomVector(n, n)
    const before = [...m]
    const [now, old] = [randomVector(n, n + 1), randomVector(n, n + 2)]
    kernels.ratioProduct(m.byteOffset, now.byteOffset, old.byteOffset, n, 0)
    m.forEach((got, i) => {
      const wanted = before[i] * Math.exp(Math.fround(now[i] - old[i]))
      // 1.1 ulp for the exponential and half an ulp for the product.
      assert.ok(Math.abs(got - wanted) <= 1.9e-7 * Math.abs(wanted), `${got} and ${wanted}`)
    })
  }
})

test('equal log-probabilities leave the factor unchanged, to the bit', () => {
  const m = randomVector(101, 1)
  const before = bits(m)
  const logProb = randomVector(101, 2)
  kernels.ratioProduct(m.byteOffset, logProb.byteOffset, logProb.byteOffset, 101, 0)
  assert.deepEqual(bits(m), before)
})

test('allFinite detects a single non-finite element at any position', () => {
  for (const n of SIZES) {
    const x = randomVector(n, n)
    if (n > 0) x[0] = 3.4028234663852886e38
    assert.equal(kernels.allFinite(x.byteOffset, n), 1)
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (let i = 0; i < n; i += Math.max(1, n >> 4)) {
        const kept = x[i]
        x[i] = bad
        assert.equal(kernels.allFinite(x.byteOffset, n), 0, `${bad} at ${i} of ${n}`)
        x[i] = kept
      }
    }
  }
})
