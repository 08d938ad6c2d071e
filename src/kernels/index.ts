export { Arena, OutOfMemoryError } from './arena.js'
export { readAssembly } from './asset.js'
export type { KernelExports } from './exports.js'
export {
  CONTROL,
  DEVIATION,
  HEADER,
  PANEL,
  PANEL_REST,
  PHASE,
  PHASE_KIND,
  POLICY,
  POLICY_LAYER,
  POLICY_PANEL,
  POLICY_RECURRENT,
  POLICY_RECURRENT_LAYER,
  TRUNCATION_MODES,
} from './layout.js'
export { chooseKernels, compileKernels, createKernelMemory, loadKernels, type Kernels } from './load.js'
export { PURPOSE, splitSeed } from './purposes.js'
