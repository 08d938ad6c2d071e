import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import type { RowStep } from '../../../src/devices/steps.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { directional, dot, largest, linear, normals, rowsOf, U } from '../../reference/dense.js'
import { gruCell } from '../../reference/recurrent.js'
import { f32, factorError, same, type Checks, type Subject } from './setup.js'

/** Rows of a chunk, and chunks of a batch: more than fit a block of any device. */
const CHUNK = 5
const CHUNKS = 40
const ROWS = CHUNK * CHUNKS
/** One width that is a multiple of four, and one that is not. */
const WIDTHS = [6, 8]
/** Rounding of the longest chain: a chunk's steps, each a sum over the state and some twenty operations. */
const bound = (values: ArrayLike<number>, width: number) => CHUNK * (width + 40) * U * (1 + largest(values))
/** Rounding of the same chain with TF32 factors in each step's products. */
const productBound = (subject: Subject, { weight, v, width }: Layer, values: ArrayLike<number>) => {
  const rows = [weight, v.weight].flatMap((matrix) => rowsOf(matrix, width))
  const largestRow = largest(rows.map((row) => row.reduce((total, w) => total + Math.abs(w), 0)))
  return CHUNK * factorError(subject) * largestRow * (1 + largest(values))
}

/** A layer between two others on a device, its operands random, and the passes over it. */
class Layer {
  readonly width: number
  readonly x: Float32Array
  readonly weight: Float32Array
  readonly bias: Float32Array
  readonly states: Float32Array
  readonly starts: Float32Array
  readonly v: { x: Float32Array; weight: Float32Array; bias: Float32Array }
  readonly g: Float32Array
  readonly tensors: Record<string, Tensor>
  readonly #device: Device

  constructor(device: Device, width: number) {
    const numbers = (n: number, seed: number) => normals(n, seed, 0.7)
    this.#device = device
    this.width = width
    this.x = numbers(ROWS * 3 * width, 1)
    this.weight = numbers(3 * width * width, 2)
    this.bias = numbers(3 * width, 3)
    this.states = numbers(ROWS * 3 * width, 4)
    this.starts = Float32Array.from({ length: ROWS }, (_, r) => (r % 7 === 3 ? 1 : 0))
    this.v = {
      x: numbers(ROWS * 3 * width, 5),
      weight: numbers(3 * width * width, 6),
      bias: numbers(3 * width, 7),
    }
    this.g = numbers(ROWS * width, 8)
    const { x, weight, bias, states, starts, v, g } = this
    const given = { x, weight, bias, states, starts, dx: v.x, dweight: v.weight, dbias: v.bias, g }
    const made = {
      before: 1,
      linked: 0,
      gates: 4,
      out: 1,
      next: 3,
      product: 3,
      tangent: 1,
      gx: 3,
      gproduct: 3,
    }
    this.tensors = {
      ...Object.fromEntries(Object.entries(given).map(([name, values]) => [name, f32(device, values)])),
      ...Object.fromEntries(
        Object.entries(made).map(([name, n]) => [name, device.tensor('f32', ROWS * (n * width || 1))]),
      ),
    }
  }

  /** Columns of an operand. */
  columns(name: string): number {
    return this.tensors[name].length / ROWS
  }

  /** Passes over the layer on `count` chunks from chunk `first` on: forward, tangent, adjoint. */
  steps(first: number, count: number): RowStep[][] {
    const { width, tensors } = this
    const { weight, bias, dweight, dbias } = tensors
    const rows = (name: string) => {
      const n = CHUNK * this.columns(name)
      return this.#device.slice(tensors[name], first * n, count * n)
    }
    const kept = { before: rows('before'), linked: rows('linked'), gates: rows('gates'), weight, width }
    const product = rows('product')
    const shape = { inputs: width, outputs: 3 * width, accumulate: false }
    return [
      [
        {
          op: 'gru',
          x: rows('x'),
          states: rows('states'),
          starts: rows('starts'),
          bias,
          ...kept,
          out: rows('out'),
          next: rows('next'),
          below: 1,
          above: 1,
          chunk: CHUNK,
        },
      ],
      [
        { op: 'linear', x: rows('before'), weight: dweight, bias: dbias, y: product, ...shape },
        { op: 'gruTangent', dx: rows('dx'), product, ...kept, out: rows('tangent'), chunk: CHUNK },
      ],
      [
        {
          op: 'gruAdjoint',
          g: rows('g'),
          ...kept,
          gx: rows('gx'),
          product: rows('gproduct'),
          chunk: CHUNK,
        },
      ],
    ]
  }

  /** Rows of a result of chunk `first` and those after it. */
  read(name: string, first: number, count: number): number[] {
    const n = CHUNK * this.columns(name)
    return Array.from(this.#device.read(this.#device.slice(this.tensors[name], first * n, count * n)))
  }

  /** States after the rows of a chunk, in f64. */
  chunk(c: number, x: ArrayLike<number>, weight: ArrayLike<number>, bias: ArrayLike<number>): number[] {
    const { width, states, starts } = this
    const inputs = rowsOf(x, 3 * width).slice(c * CHUNK, (c + 1) * CHUNK)
    const at = c * CHUNK * 3 * width + width
    let h = Array.from(states.subarray(at, at + width))
    return inputs.flatMap((row, t) => {
      if (starts[c * CHUNK + t]) h = h.map(() => 0)
      return (h = gruCell(row, linear(h, weight, bias), h))
    })
  }
}

/** Forward, tangent and adjoint of whole batches against f64 and differences. */
function checkLayer(device: Device, subject: Subject): void {
  for (const width of WIDTHS) {
    const layer = new Layer(device, width)
    const { x, weight, bias, v, g, states, starts } = layer
    const passes = layer.steps(0, CHUNKS).map((rows) => device.compile({ rows }, ROWS))
    for (const pass of passes) device.run(pass, ROWS)
    const chunks = Array.from({ length: CHUNKS }, (_, c) => c)
    const out = chunks.flatMap((c) => layer.chunk(c, x, weight, bias))
    close(layer.read('out', 0, CHUNKS), out, bound(out, width) + productBound(subject, layer, out), 'states')
    const others = rowsOf(layer.read('next', 0, CHUNKS), 3 * width)
    assert.deepEqual(
      others.flatMap((row) => row.slice(width, 2 * width)),
      layer.read('out', 0, CHUNKS),
      'states beside those of other layers',
    )
    assert.ok(others.every((row) => [...row.slice(0, width), ...row.slice(2 * width)].every((n) => n === 0)))
    const linked = Array.from(starts, (start, r) => (r % CHUNK === 0 || start ? 0 : 1))
    assert.deepEqual(layer.read('linked', 0, CHUNKS), linked)
    assert.deepEqual(
      Array.from(device.read(layer.tensors.states)),
      Array.from(states),
      'states are unchanged',
    )

    const moved = (a: Float32Array, b: Float32Array, t: number) =>
      Float64Array.from(a, (n, i) => n + t * b[i])
    const sample = chunks.filter((c) => c % 10 === 0)
    const tangent = layer.read('tangent', 0, CHUNKS)
    for (const c of sample) {
      const want = directional(
        (t) => layer.chunk(c, moved(x, v.x, t), moved(weight, v.weight, t), moved(bias, v.bias, t)),
        1e-3,
      )
      const got = tangent.slice(c * CHUNK * width, (c + 1) * CHUNK * width)
      close(
        got,
        want,
        bound(want, width) + productBound(subject, layer, want) + 1e-8,
        `tangent of chunk ${c}`,
      )
    }
    checkAdjoint(subject, layer, g, tangent)
  }
}

/** <J v, g> = <v, J' g>, parts by x, U and u, in every chunk. */
function checkAdjoint(subject: Subject, layer: Layer, g: Float32Array, tangent: readonly number[]): void {
  const { width, v } = layer
  const [gx, product, before] = ['gx', 'gproduct', 'before'].map((name) => layer.read(name, 0, CHUNKS))
  const part = <T extends ArrayLike<number>>(values: T, columns: number, c: number) =>
    Array.from(values).slice(c * CHUNK * columns, (c + 1) * CHUNK * columns)
  for (let c = 0; c < CHUNKS; c++) {
    const forward = dot(part(tangent, width, c), part(g, width, c))
    const through = rowsOf(part(product, 3 * width, c), 3 * width).map((row, t) => {
      const h = before.slice((c * CHUNK + t) * width, (c * CHUNK + t + 1) * width)
      return dot(row, linear(h, v.weight, v.bias))
    })
    const back = dot(part(gx, 3 * width, c), part(v.x, 3 * width, c)) + through.reduce((a, b) => a + b)
    const size = Math.sqrt(
      dot(part(tangent, width, c), part(tangent, width, c)) * dot(part(g, width, c), part(g, width, c)),
    )
    close(
      [back],
      [forward],
      4 * (bound([size], width) + productBound(subject, layer, [size])),
      `<J v, g> = <v, J' g> in chunk ${c}`,
    )
  }
}

const RESULTS = ['before', 'linked', 'gates', 'out', 'next', 'tangent', 'gx', 'gproduct', 'g']

/** A chunk has the same results alone and in any batch, and chunks beyond those of a run are unchanged. */
function checkAlone(device: Device, subject: Subject): void {
  const layer = new Layer(device, WIDTHS[0])
  const run = (first: number, count: number) => {
    device.write(layer.tensors.g, layer.g)
    for (const rows of layer.steps(first, count)) {
      device.run(device.compile({ rows }, count * CHUNK), count * CHUNK)
    }
  }
  const results = (first: number) =>
    Object.fromEntries(RESULTS.map((name) => [name, layer.read(name, first, 1)]))
  const chosen = [0, 1, 27, 33, CHUNKS - 1]
  const alone = chosen.map((c) => {
    run(c, 1)
    return results(c)
  })
  run(0, CHUNKS)
  chosen.forEach((c, i) => {
    for (const [name, want] of Object.entries(alone[i]))
      same(subject, results(c)[name], want, bound(want, layer.width), `${name} of chunk ${c}`)
  })
  device.fill(layer.tensors.out, 9)
  run(0, 2)
  assert.ok(layer.read('out', 2, CHUNKS - 2).every((value) => value === 9))
}

/** Runs consist of whole chunks, and all steps of a program have the same chunk. */
function checkChunkRows(device: Device): void {
  const layer = new Layer(device, WIDTHS[0])
  const [rows] = layer.steps(0, CHUNKS)
  const program = device.compile({ rows }, ROWS)
  assert.throws(() => device.run(program, CHUNK + 1), /^RangeError: 6 rows for a program with chunks of 5$/)
  assert.throws(() => device.run(program, ROWS + CHUNK), /^RangeError: 205 rows for a program of up to 200$/)
  const other = { ...rows[0], chunk: 2 } as RowStep
  assert.throws(() => device.compile({ rows: [...rows, other] }, ROWS), /chunks of 5 and 2 rows/)
}

export const recurrentChecks: Checks = {
  'recurrent layers: states, tangents and adjoints': checkLayer,
  'recurrent layers: a chunk has the same results alone and in any batch': checkAlone,
  'recurrent layers: rows come in whole chunks': checkChunkRows,
}
