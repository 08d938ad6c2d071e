// Helper thread of a wasm device. It works on programs of the device until it is dismissed.
import { parentPort, workerData } from 'node:worker_threads'
import type { SharedKernels } from '../../src/devices/host.js'
import { loadKernels } from '../../src/kernels/load.js'

const { memory, module, control } = workerData as SharedKernels & { control: number }
const { exports } = await loadKernels({ memory, module })
parentPort!.postMessage('ready')
exports.help(control)
