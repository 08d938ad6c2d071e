// Thread that makes the inputs of one kind, one after another. The thread that started it sees by `progress` where it is,
// and ends it when an input takes too long.
import { parentPort, workerData } from 'node:worker_threads'
import { crc32c } from '../../src/runtime/crc32c.js'
import { Random } from '../export/random-policy.js'
import { ATTACKS } from './table.js'

/** Orders of a thread. */
export interface WorkerTask {
  readonly kind: string
  readonly seed: number
  readonly folder: string
  /** Numbers of the first input and of the one after the last. */
  readonly from: number
  readonly to: number
  /** i32 [2]: number of the present input, -1 before the first; not 0 when the thread is to end after it. */
  readonly progress: SharedArrayBuffer
}

/** Message about an input. */
export interface WorkerReport {
  readonly input: number
  readonly outcome: 'refused' | 'harmless' | 'fault'
  readonly fault?: string
}

const { kind, seed, folder, from, to, progress } = workerData as WorkerTask
const flags = new Int32Array(progress)
const attack = ATTACKS.find(({ name }) => name === kind)!
const attempt = await attack.prepare(folder)
for (let input = from; input < to && Atomics.load(flags, 1) === 0; input++) {
  Atomics.store(flags, 0, input)
  const random = new Random(crc32c(new TextEncoder().encode(`${kind} ${seed} ${input}`)))
  let report: WorkerReport
  try {
    report = { input, outcome: await attempt(random) }
  } catch (error) {
    const fault = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    report = { input, outcome: 'fault', fault }
  }
  parentPort!.postMessage(report)
}
