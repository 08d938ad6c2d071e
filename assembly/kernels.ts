/** The kernels module: everything that TypeScript may call. */
export { activation, multiplyRows } from './activation'
export { adamStep } from './adam'
export * from './elementwise'
export { gae } from './gae'
export {
  gaussianEntropy,
  gaussianFisher,
  gaussianKl,
  gaussianLogProb,
  gaussianSample,
  gaussianSurrogate,
  gaussianTable,
} from './gaussian'
export { columnSums, gemm, gemmOuter, packPlain, packTransposed, packedBytes } from './gemm'
export { gatherRows, inputStage } from './input'
export { layerNorm, layerNormAdjoint, layerNormTangent, layerNormWeights } from './layernorm'
export { cos64, exp64, log64, pow64, sin64, tanh64 } from './math64'
export { fillNormals, fillUniforms, normal64, permutation, philox4x32, random32, uniform64 } from './random'
export { runAlone } from './program'
export { dismiss, help, runShared } from './threads'
export { valueLoss } from './value'
export * from './vector'

/** First byte of the memory that the module leaves free. */
export function heapBase(): usize {
  return __heap_base
}
