// Separate process, because V8 can abort while it compiles 256-bit vectors. Compares the kernels with and without them. The
// exit code is 0 if all bits are equal, or 3 if a kernel differs, which is named on stderr.
import { setFlagsFromString } from 'node:v8'
import { chooseKernels, loadKernels } from '../src/kernels/index.js'
import { firstDifference } from '../src/devices/wasm/wide/compare.js'

const narrow = await loadKernels()
chooseKernels('kernels-wide')
// Every function is compiled by the optimising tier after its first call.
for (const flag of ['--experimental-wasm-revectorize', '--wasm-sync-tier-up', '--wasm-tiering-budget=1'])
  setFlagsFromString(flag)
const difference = firstDifference(narrow, await loadKernels())
if (difference !== null) {
  process.stderr.write(difference)
  process.exitCode = 3
}
