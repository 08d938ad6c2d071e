import { byCloseness } from '../text/nearest.js'
import { defineEnv, type EnvDefinition, type EnvMemory } from './define.js'
import { listEnv, type EnvFamily } from './factory.js'
import { readOptions, type OptionRules } from './options.js'
import { noSuchEnv } from './unknown-id.js'

/** A built-in environment that `defineEnv` makes. */
export interface DefinedEnvironment {
  readonly description: string
  readonly options: OptionRules
  /**
   * @param id of its spec
   * @param values one for each option
   * @throws HatrpoError (exit code 2) for values that do not go together
   */
  define(id: string, values: Readonly<Record<string, string | number>>): EnvDefinition<EnvMemory>
}

/** The family of some environments, by their names. */
export function definedFamily(
  family: string,
  environments: Readonly<Record<string, DefinedEnvironment>>,
): EnvFamily {
  const factory: EnvFamily['factory'] = (name, given) => {
    const id = `${family}/${name}`
    if (!Object.hasOwn(environments, name)) {
      const known = byCloseness(name, Object.keys(environments)).map((other) => `${family}/${other}`)
      throw noSuchEnv(id, known, `must be one of ${known.join(', ')}`)
    }
    const { options, define } = environments[name]
    const values = readOptions(given, options)
    const make = defineEnv(() => define(id, values))
    return {
      config: { id, ...values },
      spec: define(id, values).spec,
      create: () => Promise.resolve(make()),
    }
  }
  const list: EnvFamily['list'] = () =>
    Object.entries(environments).map(([name, { description }]) =>
      listEnv(factory(name, {}).spec, description),
    )
  return { name: family, simulated: false, list, factory }
}
