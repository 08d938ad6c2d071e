// Thread of the pool. It steps environments, evaluates policies or helps with an update.

import { workerData } from 'node:worker_threads'
import { RolloutWorker } from '../src/rollout/worker.js'
import type { WorkerSetup, WorkerTask } from '../src/rollout/messages.js'

const worker = new RolloutWorker(workerData as WorkerSetup)

export default function run(task: WorkerTask): Promise<unknown> {
  return worker.run(task)
}
