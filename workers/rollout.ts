// A thread of the pool: steps environments and evaluates policies, or helps with an update.

import { workerData } from 'node:worker_threads'
import { RolloutWorker } from '../src/rollout/worker.js'
import type { WorkerSetup, WorkerTask } from '../src/rollout/messages.js'

const worker = new RolloutWorker(workerData as WorkerSetup)

export default function run(task: WorkerTask): Promise<unknown> {
  return worker.run(task)
}
