import assert from 'node:assert/strict'
import test from 'node:test'
import { openHost } from '../../src/devices/open.js'
import { initialParameters, orthogonal } from '../../src/nn/initialise.js'
import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import { actorSpec, criticSpec } from '../learner/setup.js'
import { close } from '../reference/close.js'
import { dot, normals, U } from '../reference/dense.js'

const host = await openHost()

const SHAPES = [
  [1, 1],
  [1, 7],
  [7, 1],
  [5, 5],
  [3, 17],
  [17, 3],
  [64, 19],
  [19, 64],
] as const

function matrix(rows: number, cols: number, gain: number, seed = 1): Float32Array {
  const out = new Float32Array(rows * cols)
  orthogonal(host, out, rows, cols, gain, (noise) => noise.set(normals(noise.length, seed)))
  return out
}

/** Rows of the matrix, or its columns where those are fewer. */
function shortSide(values: Float32Array, rows: number, cols: number): number[][] {
  const at = (i: number, j: number) => (rows < cols ? values[i * cols + j] : values[j * cols + i])
  return Array.from({ length: Math.min(rows, cols) }, (_, i) =>
    Array.from({ length: Math.max(rows, cols) }, (__, j) => at(i, j)),
  )
}

test('rows or columns, whichever are fewer, are orthogonal and have the gain as length', () => {
  for (const [rows, cols] of SHAPES) {
    for (const gain of [1, 0.01, 5 / 3]) {
      const vectors = shortSide(matrix(rows, cols, gain), rows, cols)
      vectors.forEach((a, i) => {
        vectors.forEach((b, j) => {
          // Entries are rounded to f32 once, so a product of two unit vectors is good to 2 U.
          close(
            [dot(a, b)],
            [i === j ? gain * gain : 0],
            2.5 * U * gain * gain,
            `${rows}x${cols}, ${i} and ${j}`,
          )
        })
      })
    }
  }
})

test('the result is Q of the QR decomposition with a positive diagonal, as from Gram-Schmidt', () => {
  for (const [rows, cols] of SHAPES) {
    const [tall, thin] = [Math.max(rows, cols), Math.min(rows, cols)]
    const noise = normals(tall * thin, 1)
    const basis: number[][] = []
    for (let k = 0; k < thin; k++) {
      const column = Array.from({ length: tall }, (_, i) => noise[i * thin + k])
      // Twice, because once loses orthogonality to rounding (Parlett).
      for (const q of [...basis, ...basis]) {
        const along = dot(q, column)
        q.forEach((v, i) => (column[i] -= along * v))
      }
      const length = Math.sqrt(dot(column, column))
      basis.push(column.map((v) => v / length))
    }
    const got = shortSide(matrix(rows, cols, 1), rows, cols)
    // The f64 error is 1e-16 times the condition of the Gaussian matrix, which is largest where it is square.
    got.forEach((vector, k) => close(vector, basis[k], U + 1e-10, `${rows}x${cols}, vector ${k}`))
  }
})

// The decomposition as its formulas read, with every sum in the order of its rows.
function householder(noise: Float32Array, tall: number, thin: number): Float64Array {
  const a = Float64Array.from(noise)
  const q = new Float64Array(tall * thin)
  const reflections: number[][] = []
  const reflect = (target: Float64Array, v: readonly number[], k: number) => {
    const squared = v.reduce((sum, x) => sum + x * x, 0)
    const beta = squared > 0 ? 2 / squared : 0
    const at = (i: number) => (tall - v.length + i) * thin + k
    const along = beta * v.reduce((sum, x, i) => sum + x * target[at(i)], 0)
    v.forEach((x, i) => (target[at(i)] -= along * x))
  }
  for (let j = 0; j < thin; j++) {
    const v = Array.from({ length: tall - j }, (_, i) => a[(j + i) * thin + j])
    const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0))
    const diagonal = v[0] > 0 ? -norm : norm
    q[j * thin + j] = diagonal > 0 ? 1 : -1
    v[0] -= diagonal
    reflections.push(v)
    for (let k = j + 1; k < thin; k++) reflect(a, v, k)
  }
  for (const v of reflections.reverse()) for (let k = 0; k < thin; k++) reflect(q, v, k)
  return q
}

test('the bits are those of the formulas, for any number of columns computed side by side', () => {
  for (const [rows, cols] of [...SHAPES, [23, 33] as const, [40, 31] as const]) {
    const [tall, thin] = [Math.max(rows, cols), Math.min(rows, cols)]
    const q = householder(Float32Array.from(normals(tall * thin, 1)), tall, thin)
    const want = Float32Array.from({ length: rows * cols }, (_, at) => {
      const [r, c] = [Math.floor(at / cols), at % cols]
      return 1.7 * (rows >= cols ? q[r * thin + c] : q[c * thin + r])
    })
    assert.deepEqual(matrix(rows, cols, 1.7), want, `${rows}x${cols}`)
  }
})

test('the same numbers give the same bits, different numbers different bits', () => {
  assert.deepEqual(matrix(20, 12, 1.5, 3), matrix(20, 12, 1.5, 3))
  assert.notDeepEqual(matrix(20, 12, 1.5, 3), matrix(20, 12, 1.5, 4))
})

test('gains depend on the activation, the head has its own, the others are constant', () => {
  const gains = {
    relu: Math.SQRT2,
    tanh: 5 / 3,
    leakyRelu: Math.sqrt(2 / (1 + 0.01 * 0.01)),
    selu: 0.75,
    sigmoid: 1,
    elu: 1,
    gelu: 1,
    silu: 1,
  } as const
  for (const [activation, gain] of Object.entries(gains) as [keyof typeof gains, number][]) {
    for (const [spec, headGain] of [
      [actorSpec({ activation, layerNorm: true, hidden: [6, 4] }), 0.01],
      [criticSpec({ activation, layerNorm: true, hidden: [6, 4] }), 1],
    ] as const) {
      const used = new Set<number>()
      const values = initialParameters(host, spec, headGain, (tensor) => (out) => {
        assert.ok(!used.has(tensor), 'a source is used once')
        used.add(tensor)
        out.set(normals(out.length, tensor))
      })
      const layout = parameterLayout(spec)
      assert.equal(values.length, layout.size)
      for (const { name, shape, offset, size } of layout.entries) {
        const part = values.subarray(offset, offset + size)
        if (name.endsWith('norm.weight') || name === 'logStd')
          assert.ok(
            part.every((v) => v === 1),
            name,
          )
        else if (name.endsWith('.bias'))
          assert.ok(
            part.every((v) => v === 0),
            name,
          )
        else {
          const want = name === 'head.weight' ? headGain : gain
          for (const vector of shortSide(part, shape[0], shape[1])) {
            close([Math.sqrt(dot(vector, vector))], [want], 2 * U * want, `${activation}, ${name}`)
          }
        }
      }
    }
  }
})

test('layers do not share their noise', () => {
  const spec = actorSpec({ hidden: [5, 5, 5], size: 5 })
  const values = initialParameters(
    host,
    spec,
    0.01,
    (tensor) => (out) => out.set(normals(out.length, tensor)),
  )
  const layout = parameterLayout(spec)
  const weights = [0, 1, 2].map((i) => {
    const { offset, size } = parameterEntry(layout, `hidden.${i}.weight`)
    return values.subarray(offset, offset + size)
  })
  assert.notDeepEqual(weights[0], weights[1])
  assert.notDeepEqual(weights[1], weights[2])
})
