/** Exports of the kernels module. */
export { adamStep } from './adam'
export * from './elementwise'
export { gae } from './gae'
export { packedBytes } from './gemm'
export * from './generated/kernels'
export { cos64, exp64, log64, pow64, sin64, tanh64 } from './math64'
export { orthogonal, orthogonalBytes } from './orthogonal'
export { runAlone } from './program'
export { fillNormals, fillUniforms, normal64, permutation, philox4x32, random32, uniform64 } from './random'
export { solve } from './solve'
export * from './statistics'
export { dismiss, help, runShared } from './threads'
export * from './vector'

/** Address of the first byte that the module does not use. */
export function heapBase(): usize {
  return __heap_base
}
