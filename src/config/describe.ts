import { keysOf } from './about.js'
import { leaves, type ValueOrigin } from './origins.js'
import type { ResolvedConfig } from './resolve.js'
import { configEntries } from './schema.js'
import { whyUnread } from './unread.js'

/** A value of a configuration, as `hatrpo config` prints it. */
export interface DescribedValue {
  /** Dotted. */
  readonly key: string
  readonly value: unknown
  readonly unit: string | null
  readonly origin: ValueOrigin
  /** Why nothing reads it, where nothing does. */
  readonly unread?: string
}

/** The values of a configuration with their origins, in the order of config.json. */
export function describeValues({ config, origins, env }: ResolvedConfig): DescribedValue[] {
  const units = new Map(keysOf(configEntries).map(({ key, about }) => [key, about.unit]))
  return leaves({ ...config }).map(([key, value]) => {
    const unread = whyUnread(key, config, env)
    const described = { key, value, unit: units.get(key) ?? null, origin: origins[key] }
    return unread === undefined ? described : { ...described, unread }
  })
}
