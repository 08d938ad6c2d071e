export { Arena } from './arena.js'
export { GAE_BOOTSTRAP, GAE_HARL, GAE_TERMINATE, type KernelExports } from './exports.js'
export { compileKernels, createKernelMemory, loadKernels, type Kernels } from './load.js'
export { PURPOSE, splitSeed } from './purposes.js'
