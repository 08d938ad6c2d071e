import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { EnvContext } from '../context.js'
import type { EnvConfig, EnvFactory } from '../factory.js'
import { PettingZooEnv } from './env.js'
import { EnvHost } from './host.js'
import { readOptions } from './options.js'

/** The processes of each thread, by the configuration of their environments. */
const hosts = new WeakMap<EnvContext, Map<string, Promise<EnvHost>>>()

/**
 * Factory of the Python environments of an id and its options. Starts Python and makes one environment to check it and
 * read its spec.
 * @param context keeps the process, with that environment as the first one created; without a context, the process ends
 *   after the spec is read
 * @throws HatrpoError (exit code 2) for a wrong id, option or value, and for a missing file or module
 */
export async function loadPettingZooFactory(given: EnvConfig, context?: EnvContext): Promise<EnvFactory> {
  const { options, config } = readOptions(given)
  const start = (onRestart?: (what: string) => void) => EnvHost.start(config.id, options, onRestart)
  const key = JSON.stringify(config)
  const hostOf = async (owner: EnvContext): Promise<EnvHost> => {
    const own = hosts.get(owner) ?? new Map<string, Promise<EnvHost>>()
    hosts.set(owner, own)
    const running = own.get(key)
    if (running) {
      const host = await running
      if (!host.ended) return host
      // Another call may have seen the same meanwhile, and have started the next.
      if (own.get(key) !== running) return hostOf(owner)
    }
    const starting = start(owner.onRestart)
    own.set(key, starting)
    // One that does not start is tried again by the next.
    starting.catch(() => own.delete(key))
    return starting
  }
  // Before Python reads it: what changes in between is then seen as a change.
  const sha256 = options.file === '' ? undefined : await digestOf(options.file)
  const host = await (context ? hostOf(context) : start())
  if (!context) host.end()
  return {
    config,
    spec: host.spec,
    ...(sha256 !== undefined && { sha256 }),
    create: async (owner) => PettingZooEnv.create(await hostOf(owner)),
  }
}

/**
 * Digest of only the file, because its imports are not known here. @returns undefined for a missing file, which Python
 * reports
 */
async function digestOf(file: string): Promise<string | undefined> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  } catch {
    return undefined
  }
}
