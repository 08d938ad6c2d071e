/** A value of a key, and who has it. */
export interface Choice {
  /** JSON. */
  readonly value: string
  /** Indices of the configurations. */
  readonly owners: readonly number[]
  /** Whether it is not the key's commonest value; of several such, the first is the usual one. */
  readonly unusual: boolean
}

/** A key in which configurations differ. */
export interface Difference {
  readonly key: string
  /** In the order of the first owners. */
  readonly choices: readonly Choice[]
}

export interface Differences {
  /** Keys that all configurations have. */
  readonly differing: readonly Difference[]
  /** Keys that some of them lack, as those of another method's settings. */
  readonly partial: readonly string[]
}

type Config = Readonly<Record<string, string>>

/** Keys whose values are not the same in all configurations. */
export function differences(configs: readonly Config[]): Differences {
  const keys = [...new Set(configs.flatMap((config) => Object.keys(config)))]
  const isPartial = (key: string) => configs.some((config) => !(key in config))
  const differing = keys
    .filter((key) => !isPartial(key))
    .map((key) => ({ key, choices: choices(configs, key) }))
  return {
    differing: differing.filter((difference) => difference.choices.length > 1),
    partial: keys.filter(isPartial),
  }
}

function choices(configs: readonly Config[], key: string): Choice[] {
  const owners = new Map<string, number[]>()
  for (const [i, config] of configs.entries())
    owners.set(config[key], [...(owners.get(config[key]) ?? []), i])
  const most = Math.max(...[...owners.values()].map((indices) => indices.length))
  const [usual] = [...owners].find(([, indices]) => indices.length === most)!
  return [...owners].map(([value, indices]) => ({ value, owners: indices, unusual: value !== usual }))
}
