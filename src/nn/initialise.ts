import type { HostDevice } from '../devices/host.js'
import type { Activation } from '../devices/steps.js'
import { parameterLayout } from './layout.js'
import type { NetworkSpec } from './spec.js'

/** Fills an array with independent standard normal numbers; entry i depends on i and the source's key alone. */
export type NormalSource = (out: Float32Array) => void

/** Kernels, and memory for their results. */
type Site = Pick<HostDevice, 'arena' | 'kernels'>

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

/** Gain of the weights of recurrent layers. */
const RECURRENT_GAIN = 1

/**
 * Initial parameters: orthogonal weights (Saxe et al. 2014) with the activation's gain, `headGain` for the head,
 * biases 0, LayerNorm 1 and 0, the head's vectors as its description says.
 * @param normals one source per parameter tensor, by its position in the layout
 * @returns f32 [layout.size]
 */
export function initialParameters(
  site: Site,
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
    else if (name === 'head.bias' && spec.head.bias) target.set(spec.head.bias)
    else if (name.endsWith('norm.weight')) target.fill(1)
    else if (name.endsWith('.weight')) {
      const hidden = name.startsWith('hidden.')
      const gain = name === 'head.weight' ? headGain : hidden ? GAINS[spec.activation] : RECURRENT_GAIN
      orthogonal(site, target, shape[0], shape[1], gain, normals(index))
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
  { arena, kernels: { exports } }: Site,
  out: Float32Array,
  rows: number,
  cols: number,
  gain: number,
  normals: NormalSource,
): void {
  const mark = arena.mark()
  const [noise, result] = [0, 1].map(() => arena.f32(arena.alloc(4 * rows * cols), rows * cols))
  const scratch = arena.alloc(exports.orthogonalBytes(rows, cols))
  normals(noise)
  exports.orthogonal(noise.byteOffset, rows, cols, gain, result.byteOffset, scratch)
  out.set(result)
  arena.release(mark)
}
