import type { Device } from '../../../src/devices/device.js'
import type { RowStep } from '../../../src/devices/steps.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { dot, gamma, largest, linear, normals, rowsOf, sum, U } from '../../reference/dense.js'
import { COUNTS, each, f32, factorError, head, ROWS, same, type Checks, type Subject } from './setup.js'

const abs = (values: ArrayLike<number>) => Array.from(values, Math.abs)

/** Products of the vectors of a row with one vector, and their weighted sums. */
function checkVectors(device: Device): void {
  for (const [count, width] of [
    [1, 16],
    [2, 3],
    [3, 37],
  ]) {
    const [all, x] = [normals(ROWS * count * width, 1), normals(ROWS * width, 2)]
    const [u, start, row] = [normals(ROWS * count, 3), normals(ROWS * count, 4), normals(count * width, 5)]
    const vectors = f32(device, all)
    const [dots, mixed, spread] = [ROWS * count, ROWS * width, ROWS * count * width].map((n) =>
      device.tensor('f32', n),
    )
    const rows: RowStep[] = [
      { op: 'broadcast', vector: f32(device, row), out: spread, width: count * width },
      { op: 'copy', x: f32(device, start), out: dots, width: count },
      { op: 'dotVectors', vectors, x: f32(device, x), count, width, out: dots },
      { op: 'mixVectors', vectors, coefficients: f32(device, u), count, width, out: mixed },
    ]
    const xs = rowsOf(x, width)
    const parts = rowsOf(all, count * width).map((values) => rowsOf(values, width))
    const pairs = parts.flatMap((part, r) => part.map((v) => [v, xs[r]] as const))
    const products = pairs.map(([v, w], i) => start[i] + dot(v, w))
    // The start is added to the sum of the products.
    const sizes = pairs.map(([v, w], i) => Math.abs(start[i]) + dot(abs(v), abs(w)))
    const terms = parts.flatMap((part, r) =>
      Array.from({ length: width }, (_, i) => part.map((v, k) => u[r * count + k] * v[i])),
    )
    each(device, { rows }, (n) => {
      const of = <T>(values: readonly T[], columns: number) => values.slice(0, n * columns)
      close(
        head(device, spread, n, row.length),
        Array.from({ length: n }, () => [...row]).flat(),
        0,
        'copies',
      )
      const bound = (i: number) => gamma(width + 1) * sizes[i]
      close(head(device, dots, n, count), of(products, count), bound, 'products')
      close(
        head(device, mixed, n, width),
        of(terms, width).map((values) => sum(values)),
        (i) => gamma(count) * sum(abs(terms[i])),
        'sums',
      )
    })
  }
}

/** A step on several vectors per row gives each vector the result of the same step on that vector alone. */
function checkRepeat(device: Device, subject: Subject): void {
  const repeat = 3
  for (const [inputs, outputs] of [
    [5, 7],
    [33, 18],
  ]) {
    const random = (n: number, seed: number) => f32(device, normals(n, seed))
    const kept = { xhat: random(ROWS * outputs, 1), rstd: f32(device, abs(normals(ROWS, 2))) }
    const [factor, scale] = [random(ROWS * outputs, 3), random(outputs, 4)]
    const weight = random(outputs * inputs, 5)
    const several = normals(ROWS * repeat * outputs, 6)
    const pass = (given: Tensor, copies?: number) => {
      const n = ROWS * (copies ?? 1)
      const [normed, product] = [1, 2].map(() => device.tensor('f32', n * outputs))
      const gx = device.tensor('f32', n * inputs)
      const count = copies === undefined ? {} : { repeat: copies }
      const rows: RowStep[] = [
        { op: 'layerNormAdjoint', ...count, g: given, ...kept, gamma: scale, gx: normed, width: outputs },
        { op: 'multiply', ...count, a: normed, b: factor, out: product, width: outputs },
        { op: 'linearAdjoint', ...count, gy: product, outputs, weight, gx, inputs },
      ]
      return { program: device.compile({ rows }, ROWS), results: { normed, product, gx } }
    }
    const together = pass(f32(device, several), repeat)
    const alone = Array.from({ length: repeat }, (_, k) =>
      pass(
        f32(
          device,
          rowsOf(several, outputs)
            .filter((_, i) => i % repeat === k)
            .flat(),
        ),
      ),
    )
    for (const n of COUNTS) {
      for (const { program } of [together, ...alone]) device.run(program, n)
      for (const [name, width] of [
        ['normed', outputs],
        ['product', outputs],
        ['gx', inputs],
      ] as const) {
        const parts = alone.map(({ results }) => rowsOf(head(device, results[name], n, width), width))
        const want = Array.from({ length: n }, (_, r) => parts.map((part) => part[r])).flat(2)
        const got = head(device, together.results[name], n, repeat * width)
        // Sums over a row: two in LayerNorm, one in the product.
        same(subject, got, want, 4 * gamma(outputs) * outputs * largest(want), `${name} of ${repeat} vectors`)
      }
    }
  }
}

/** Layers of one task, and of several tasks with a remainder. */
const LAYERS = [
  { outputs: 1, inputs: 3 },
  { outputs: 37, inputs: 5 },
  { outputs: 3, inputs: 33 },
  { outputs: 34, inputs: 35 },
] as const

/** Contents of a layer after a LayerNorm, of a direction, and of its input and output rows. */
function layerOf({ outputs, inputs }: (typeof LAYERS)[number]) {
  const n = outputs * inputs
  return {
    layer: { weight: normals(n, 1), gamma: normals(inputs, 2), beta: normals(inputs, 3) },
    direction: {
      dweight: normals(n, 4),
      dgamma: normals(inputs, 5),
      dbeta: normals(inputs, 6),
      dbias: normals(outputs, 7),
    },
    x: normals(ROWS * inputs, 8),
    gy: normals(ROWS * outputs, 9),
  }
}

const tensorsOf = <Name extends string>(device: Device, values: Record<Name, ArrayLike<number>>) =>
  Object.fromEntries(
    Object.entries<ArrayLike<number>>(values).map(([name, v]) => [name, f32(device, v)]),
  ) as Record<Name, Tensor>

/** Tangent of a layer by its definition, and for each entry the sum of the sizes of its terms. */
function folded(
  { outputs, inputs }: (typeof LAYERS)[number],
  { layer, direction }: ReturnType<typeof layerOf>,
  dweight: ArrayLike<number>,
) {
  const terms = Array.from({ length: outputs * inputs }, (_, i) => {
    const [w, d, j] = [layer.weight[i], dweight[i], i % inputs]
    return {
      m: [d * layer.gamma[j], w * direction.dgamma[j]],
      c: [d * layer.beta[j], w * direction.dbeta[j]],
    }
  })
  const c = Array.from({ length: outputs }, (_, o) => [
    ...terms.slice(o * inputs, (o + 1) * inputs).flatMap((term) => term.c),
    direction.dbias[o],
  ])
  const both = (values: number[][]) => values.map((value) => ({ value: sum(value), size: sum(abs(value)) }))
  return { m: both(terms.map(({ m }) => m)), c: both(c) }
}

/** Setup steps read the parameters of their run, and products of the same run read the results. */
function checkFold(device: Device, subject: Subject): void {
  for (const shape of LAYERS) {
    const { outputs, inputs } = shape
    const given = layerOf(shape)
    const direction = tensorsOf(device, given.direction)
    const [m, c] = [device.tensor('f32', outputs * inputs), device.tensor('f32', outputs)]
    const y = device.tensor('f32', ROWS * outputs)
    const layer = { ...tensorsOf(device, given.layer), ...shape }
    const product = { x: f32(device, given.x), y, accumulate: false, ...shape }
    const program = device.compile(
      {
        setup: [{ op: 'foldTangent', ...layer, ...direction, m, c }],
        rows: [{ op: 'linear', weight: m, bias: c, ...product }],
      },
      ROWS,
    )
    for (const seed of [4, 40]) {
      const dweight = normals(outputs * inputs, seed)
      device.write(direction.dweight, dweight)
      device.run(program, ROWS)
      const want = folded(shape, given, dweight)
      const values = (of: 'm' | 'c') => want[of].map(({ value }) => value)
      const bound = (of: 'm' | 'c', n: number) => (i: number) => gamma(n) * want[of][i].size
      const [ms, cs] = [device.read(m), device.read(c)]
      close(ms, values('m'), bound('m', 2), 'm')
      close(cs, values('c'), bound('c', 2 * inputs + 1), 'c')
      const xs = rowsOf(given.x, inputs)
      const sizes = xs.flatMap((row) => linear(abs(row), abs(ms), abs(cs)))
      const ys = xs.flatMap((row) => linear(row, ms, cs))
      close(device.read(y), ys, (i) => (gamma(inputs + 1) + factorError(subject)) * sizes[i], 'm x + c')
    }
  }
}

/** Steps on the gradient read the scaled sums over the rows, and are the adjoint of `foldTangent`. */
function checkUnfold(device: Device): void {
  for (const shape of LAYERS) {
    const { outputs, inputs } = shape
    const given = layerOf(shape)
    const n = outputs * inputs
    // Parts of the gradient, with a gap that no step writes.
    const at = { gweight: 1, gbias: 1 + n, ggamma: 1 + n + outputs, gbeta: 1 + n + outputs + inputs }
    const sizes = { gweight: n, gbias: outputs, ggamma: inputs, gbeta: inputs }
    const gradient = device.tensor('f32', 1 + n + outputs + 2 * inputs)
    const part = (name: keyof typeof at) => device.slice(gradient, at[name], sizes[name])
    const read = (name: keyof typeof at) => Array.from(device.read(part(name)))
    const x = f32(device, given.x)
    const gy = f32(device, given.gy)
    const rows: RowStep[] = [{ op: 'linearWeights', x, gy, weight: at.gweight, bias: at.gbias, ...shape }]
    const layer = { ...tensorsOf(device, given.layer), ...shape }
    const parts = {
      gweight: part('gweight'),
      gbias: part('gbias'),
      ggamma: part('ggamma'),
      gbeta: part('gbeta'),
    }
    const plain = device.compile({ rows, gradient }, ROWS)
    const finished = device.compile(
      { rows, gradient, finish: [{ op: 'unfoldGradient', ...layer, ...parts }] },
      ROWS,
    )
    for (const count of COUNTS) {
      device.run(plain, count, -0.5)
      const [products, totals] = [read('gweight'), read('gbias')]
      device.fill(gradient, 9)
      device.run(finished, count, -0.5)
      const { weight, gamma: gain, beta } = given.layer
      const column = (values: ArrayLike<number>, j: number) =>
        Array.from({ length: outputs }, (_, o) => values[o * inputs + j])
      const found = { w: read('gweight'), b: read('gbias'), gain: read('ggamma'), beta: read('gbeta') }
      const terms = products.map((v, i) => [
        v * gain[i % inputs],
        totals[Math.floor(i / inputs)] * beta[i % inputs],
      ])
      close(
        found.w,
        terms.map((values) => sum(values)),
        (i) => gamma(2) * sum(abs(terms[i])),
        'gweight',
      )
      close(found.b, totals, 0, 'gbias')
      const columns = Array.from({ length: inputs }, (_, j) => j)
      for (const [name, got, factor] of [
        ['ggamma', found.gain, (j: number) => column(products, j)],
        ['gbeta', found.beta, () => totals],
      ] as const) {
        const want = columns.map((j) => dot(column(weight, j), factor(j)))
        const size = columns.map((j) => dot(abs(column(weight, j)), abs(factor(j))))
        close(got, want, (j) => gamma(outputs) * size[j], name)
      }
      close([device.read(gradient)[0]], [0], 0, 'the gap')

      // <fold(d), (S, s)> = <d, unfold(S, s)>
      const { dweight, dgamma, dbeta, dbias } = given.direction
      const tangent = folded(shape, given, dweight)
      const sums = [...products, ...totals]
      const left = [...tangent.m, ...tangent.c].map(({ value }, i) => value * sums[i])
      const right = [
        [dweight, found.w],
        [dgamma, found.gain],
        [dbeta, found.beta],
        [dbias, found.b],
      ].map(([d, g]) => dot(d, g))
      const size = sum([...tangent.m, ...tangent.c].map((entry, i) => entry.size * Math.abs(sums[i])))
      close([sum(right)], [sum(left)], (gamma(outputs + 2) + 4 * U) * size, '<fold d, S> = <d, unfold S>')
    }
  }
}

export const jacobianChecks: Checks = {
  'several vectors per row: copies, products with one vector, sums': checkVectors,
  'a step on several vectors per row equals the step on each': checkRepeat,
  'the tangent of a layer after a LayerNorm, at constant normalised rows': checkFold,
  'the adjoint of that tangent, on the gradient': checkUnfold,
}
