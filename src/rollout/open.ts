import type { HostDevice } from '../devices/host.js'
import { InlineSource } from './inline/source.js'
import { RolloutPool } from './local/pool.js'
import { WorkerThreads, type ThreadOptions } from './local/threads.js'
import type { RolloutSource, SourceOptions } from './source.js'
import type { RolloutStorage } from './storage.js'

/**
 * Starts the threads of a source, which load their environments while the caller prepares the memory of the run.
 * @returns undefined for a source without threads; to be passed to `openSource`, or closed
 */
export function startThreads(options: ThreadOptions): WorkerThreads | undefined {
  return options.workers === 0 ? undefined : new WorkerThreads(options)
}

/**
 * Opens the source of rollouts for a number of workers: a pool of threads, or for 0 the calling thread.
 * @param host device whose shared memory holds the rollout and the policies
 * @param threads result of `startThreads` with the same options, which the source then owns; started here by default
 */
export function openSource(
  host: HostDevice,
  storage: RolloutStorage,
  options: SourceOptions,
  threads: WorkerThreads | undefined = startThreads(options),
): RolloutSource {
  return threads ? new RolloutPool(host, storage, threads, options) : new InlineSource(host, storage, options)
}
