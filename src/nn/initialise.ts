import type { Activation } from '../devices/steps.js'
import { parameterLayout } from './layout.js'
import type { NetworkSpec } from './spec.js'

/** Fills an array with independent standard normal numbers; entry i depends on i and the source's key alone. */
export type NormalSource = (out: Float32Array) => void

const SQRT_2 = 1.4142135623730951

/** Gains of hidden layers, as torch's `calculate_gain` has them; 1 where it has none. */
const GAINS: Readonly<Record<Activation, number>> = {
  relu: SQRT_2,
  tanh: 5 / 3,
  leakyRelu: Math.sqrt(2 / (1 + 0.01 * 0.01)),
  selu: 0.75,
  sigmoid: 1,
  elu: 1,
  gelu: 1,
  silu: 1,
}

/**
 * Initial parameters: orthogonal weights (Saxe et al. 2014) with the activation's gain, `headGain` for the head,
 * biases 0, LayerNorm 1 and 0, the head's vectors as its description says.
 * @param normals one source per parameter tensor, by its position in the layout
 * @returns f32 [layout.size]
 */
export function initialParameters(
  spec: NetworkSpec,
  headGain: number,
  normals: (tensor: number) => NormalSource,
): Float32Array {
  const layout = parameterLayout(spec)
  const parameters = new Float32Array(layout.size)
  layout.entries.forEach(({ name, shape, offset, size }, index) => {
    const target = parameters.subarray(offset, offset + size)
    const vector = spec.head.vectors.find((candidate) => candidate.name === name)
    if (vector) target.fill(vector.initial)
    else if (name.endsWith('norm.weight')) target.fill(1)
    else if (name.endsWith('.weight')) {
      const gain = name === 'head.weight' ? headGain : GAINS[spec.activation]
      orthogonal(target, shape[0], shape[1], gain, normals(index))
    }
  })
  return parameters
}

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`: the Q of a normal random matrix'
 * QR decomposition whose R has a positive diagonal, which makes it uniform (Mezzadri 2007). Householder, in f64.
 * @param out f32 [rows, cols]
 */
export function orthogonal(
  out: Float32Array,
  rows: number,
  cols: number,
  gain: number,
  normals: NormalSource,
): void {
  const tall = Math.max(rows, cols)
  const thin = Math.min(rows, cols)
  const noise = new Float32Array(tall * thin)
  normals(noise)
  // a [tall, thin] becomes R above the diagonal and Householder vectors below and on it.
  const a = Float64Array.from(noise)
  const betas = new Float64Array(thin)
  const signs = new Float64Array(thin)
  for (let j = 0; j < thin; j++) {
    let norm = 0
    for (let i = j; i < tall; i++) norm += a[i * thin + j] * a[i * thin + j]
    norm = Math.sqrt(norm)
    const head = a[j * thin + j]
    const alpha = head > 0 ? -norm : norm
    signs[j] = alpha > 0 ? 1 : -1
    a[j * thin + j] = head - alpha
    let squared = 0
    for (let i = j; i < tall; i++) squared += a[i * thin + j] * a[i * thin + j]
    betas[j] = squared > 0 ? 2 / squared : 0
    for (let k = j + 1; k < thin; k++) reflect(a, thin, tall, j, betas[j], a, k)
  }
  // Q = H_0 H_1 ... applied to the first columns of the identity, each column with the sign of R's diagonal.
  const q = new Float64Array(tall * thin)
  for (let k = 0; k < thin; k++) {
    q[k * thin + k] = signs[k]!
    for (let j = thin - 1; j >= 0; j--) reflect(a, thin, tall, j, betas[j], q, k)
  }
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      out[r * cols + c] = gain * (rows >= cols ? q[r * thin + c] : q[c * thin + r])
    }
  }
}

// Applies the reflection I - beta v v', v = column j of `vectors` from row j on, to column k of `target`.
function reflect(
  vectors: Float64Array,
  width: number,
  height: number,
  j: number,
  beta: number,
  target: Float64Array,
  k: number,
): void {
  let sum = 0
  for (let i = j; i < height; i++) sum += vectors[i * width + j] * target[i * width + k]
  sum *= beta
  for (let i = j; i < height; i++) {
    const at = i * width + k
    target[at] = target[at] - sum * vectors[i * width + j]
  }
}
