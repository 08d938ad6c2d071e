import type { HostDevice } from '../../src/devices/host.js'
import { initialParameters } from '../../src/nn/initialise.js'
import { parameterLayout } from '../../src/nn/layout.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { comparison } from './compare.js'
import { float32, type GoldenArray } from './fixture.js'
import type { Comparison, FileReport } from './report.js'

/** Largest deviation of a float32 matrix from orthogonal, relative to its squared gain: some tens of roundings. */
const ORTHOGONALITY = 1e-5

/**
 * Random initialisations cannot be equal, but they share properties: the products of a weight's rows (or columns,
 * whichever are fewer) are gain^2 times the identity, and everything else is constant.
 */
export function compareInitialisation(
  host: HostDevice,
  spec: NetworkSpec,
  golden: GoldenArray | undefined,
  keys: { gain?: number | undefined; initialization_method?: string | undefined },
): FileReport {
  if (golden === undefined) return { comparisons: [], notes: ['harl_initial_params: not in this file'] }
  const method = keys.initialization_method ?? 'orthogonal_'
  if (method !== 'orthogonal_' || keys.gain === undefined) {
    const why = keys.gain === undefined ? 'the file gives no gain' : `ours is orthogonal_, not ${method}`
    return { comparisons: [], notes: [`harl_initial_params: skipped, ${why}`] }
  }
  const layout = parameterLayout(spec)
  const theirs = float32('harl_initial_params', golden, layout.size)
  const ours = initialParameters(host, spec, keys.gain, (tensor) => normals(host, tensor))
  const comparisons: Comparison[] = layout.entries.map(({ name, shape, offset, size }) => {
    const [a, b] = [theirs, ours].map((all) => all.subarray(offset, offset + size)) as [
      Float32Array,
      Float32Array,
    ]
    const quantity = `harl_initial_params.${name}`
    if (shape.length === 1) return comparison(quantity, a, b, 0)
    const [rows, cols] = shape as [number, number]
    const products = gram(b, rows, cols)
    return comparison(
      `${quantity}.gram`,
      gram(a, rows, cols),
      products,
      ORTHOGONALITY * Math.max(...products),
    )
  })
  return {
    comparisons,
    notes: [
      'harl_initial_params: compared by orthogonality, gains and constants; random directions cannot be equal',
    ],
  }
}

/** W W' or W' W, whichever is smaller, in f64. */
function gram(matrix: Float32Array, rows: number, cols: number): Float64Array {
  const vectors = Math.min(rows, cols)
  const length = Math.max(rows, cols)
  const at = (v: number, i: number) => matrix[rows <= cols ? v * cols + i : i * cols + v]
  const products = new Float64Array(vectors * vectors)
  for (let a = 0; a < vectors; a++) {
    for (let b = 0; b < vectors; b++) {
      for (let i = 0; i < length; i++) products[a * vectors + b] += at(a, i) * at(b, i)
    }
  }
  return products
}

/** Standard normal numbers for one parameter tensor. */
function normals(host: HostDevice, tensor: number): (out: Float32Array) => void {
  return (out) => {
    const memory = host.tensor('f32', out.length)
    host.kernels.exports.fillNormals(host.addressOf(memory), out.length, 1, 0, 0, tensor, 0)
    out.set(host.read(memory))
  }
}
