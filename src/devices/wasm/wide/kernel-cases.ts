import type { KernelExports } from '../../../kernels/index.js'

/** Exports that compute nothing by themselves, or that run a program. */
type Control = 'heapBase' | 'runAlone' | 'runShared' | 'help' | 'dismiss' | 'solve'

/**
 * Argument of a call: a number, the number of elements, or the address of an array. `f32` holds ordinary numbers, zeros and
 * subnormal numbers, `extreme` also infinities and numbers near the ends of the range, `weight` 0 and 1 as f32. The other
 * arrays hold zeros: results, or indices that are legal for any length.
 */
export type CaseArgument = number | 'n' | 'f32' | 'extreme' | 'weight' | 'f64' | 'i32' | 'u8'

const keys = [1, 2, 3, 4, 5]
const gae = ['f32', 'f32', 'f32', 'u8', 3, 'n', 0.99, 0.95] as const

/** Calls of every kernel that TypeScript calls by name. The others run in programs only. */
export const KERNEL_CASES = {
  expArray: [['extreme', 'f32', 'n']],
  expMinusOneArray: [['extreme', 'f32', 'n']],
  tanhArray: [['extreme', 'f32', 'n']],
  sigmoidArray: [['extreme', 'f32', 'n']],
  logArray: [['extreme', 'f32', 'n']],
  erfArray: [['extreme', 'f32', 'n']],
  exp64: [[-0.7]],
  log64: [[3.7]],
  sin64: [[2.5]],
  cos64: [[2.5]],
  tanh64: [[0.3]],
  pow64: [[1.7, -2.3]],
  philox4x32: [[1, 2, 3, 4, 5, 6, 'i32']],
  random32: [[...keys, 6]],
  uniform64: [[...keys, 6]],
  normal64: [[...keys, 6]],
  fillUniforms: [['f64', 'n', ...keys]],
  fillNormals: [['f32', 'n', ...keys]],
  permutation: [['i32', 'n', ...keys]],
  dot: [['f32', 'f32', 'n']],
  axpy: [[0.3, 'f32', 'f32', 'n']],
  scaleAdd: [[0.3, 'f32', 'f32', 'f32', 'n']],
  scale: [[0.3, 'f32', 'n']],
  copy: [['f32', 'f32', 'n']],
  fill: [['f32', 0.3, 'n']],
  sumPartials: [['f32', 3, 'n', 0, 'n', 'f32', 0.7]],
  meanAndVariance: [
    ['f32', 'weight', 'n', 'f64'],
    ['f32', 0, 'n', 'f64'],
  ],
  standardise: [
    ['f32', 'weight', 'n', 1e-5, 'f64'],
    ['f32', 0, 'n', 1e-5, 'f64'],
  ],
  ratioProduct: [
    ['f32', 'weight', 'weight', 'n', 'weight'],
    ['f32', 'f32', 'f32', 'n', 0],
  ],
  allFinite: [['f32', 'n']],
  gae: [0, 1, 2].map((mode) => [...gae, mode, 'f32', 'f32']),
  adamStep: [['f32', 'f32', 'f32', 'weight', 'n', 0.7, 3e-4, 0.9, 0.999, 1e-5, 0.81, 0.998]],
  pick: [['f32', 'n', 'i32', 'f32', 'n']],
  replace: [['f32', 'f32', 'weight', 'n']],
  normalise: [['f32', 0.3, 1.7, 'f32', 'n']],
  denormalise: [['f32', 0.3, 1.7, 'f32', 'n']],
  sum: [['f32', 'n']],
  moments: [['f32', 'weight', 'n', 'f64']],
  spread: [
    ['f32', 'weight', 'f32', 'n', 'f64'],
    ['f32', 'weight', 0, 'n', 'f64'],
  ],
  packedBytes: [['n', 5]],
  orthogonalBytes: [['n', 5]],
  // Its scratch memory extends into the arrays after the last argument.
  orthogonal: [
    ['f32', 11, 9, 0.7, 'f32', 'f64'],
    ['f32', 4, 11, 0.7, 'f32', 'f64'],
  ],
  multiplyRows: [['f32', 'f32', 'f32', 'n', 2, 0, 3]],
} satisfies Readonly<Record<Exclude<keyof KernelExports, Control>, readonly (readonly CaseArgument[])[]>>
