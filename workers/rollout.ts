// A thread of the pool: steps environments and evaluates policies, or helps with an update.

import { workerData } from 'node:worker_threads'
import { runTask } from '../src/rollout/worker.js'
import type { WorkerSetup, WorkerTask } from '../src/rollout/messages.js'

// Piscina hands its own data along with ours.
const setup = (workerData as { readonly hatrpo?: WorkerSetup } | readonly unknown[]) as unknown

export default function run(task: WorkerTask): Promise<unknown> {
  return runTask(setup as WorkerSetup, task)
}
