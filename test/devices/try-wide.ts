// Prints the response of an engine to wide vectors. The argument names the case.
import { openSimd } from '../../src/devices/open.js'
import { checkWideVectors } from '../../src/devices/wasm/wide/enable.js'
import { readAssembly } from '../../src/kernels/index.js'

const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
  /** The error of a run that asks for them, or null. */
  open: async () => openSimd('wide').then(() => null, String),
  /** Results of the comparison: normally, without AVX2, and in a process that is killed for lack of memory. */
  check: async () => [
    await checkWideVectors(),
    await checkWideVectors(['--no-enable-avx2']),
    await checkWideVectors(['--max-heap-size=1']),
  ],
  /** Compiles every module. */
  compile: async () => {
    for (const name of ['kernels', 'kernels-wide', 'policy', 'stepper'] as const)
      new WebAssembly.Module(await readAssembly(name))
    return 'compiled'
  },
}

console.log(JSON.stringify(await attempts[process.argv[2]]()))
