import type { HostDevice } from '../devices/host.js'
import { InlineSource } from './inline/source.js'
import { RolloutPool } from './local/pool.js'
import type { RolloutSource, SourceOptions } from './source.js'
import type { RolloutStorage } from './storage.js'

/**
 * Opens the source of rollouts for a number of workers: a pool of threads, or for 0 the calling thread.
 * @param host device whose shared memory holds the rollout and the policies
 */
export async function openSource(
  host: HostDevice,
  storage: RolloutStorage,
  options: SourceOptions,
): Promise<RolloutSource> {
  if (options.workers === 0) return new InlineSource(host, storage, options)
  return RolloutPool.start(host, storage, options)
}
