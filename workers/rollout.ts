// Thread of the pool. It steps environments, evaluates policies or helps with an update.

import { workerData } from 'node:worker_threads'
import { RolloutWorker } from '../src/rollout/worker.js'
import type { WorkerEnv, WorkerOrder } from '../src/rollout/messages.js'

const worker = new RolloutWorker(workerData as WorkerEnv)

export default function run(order: WorkerOrder): Promise<unknown> {
  return worker.run(order)
}
