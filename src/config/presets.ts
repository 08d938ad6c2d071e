import { type AlgorithmName, algorithmNames, algorithms, type UpdateRule } from '../algorithms/table.js'
import { usageError } from '../errors.js'
import { nearestName } from '../text/nearest.js'
import type { PartialConfig } from './defaults.js'
import { MARLLIB, PAPER, publishedValues, type PublishedSettings } from './published.js'
import { merge, nested } from './tree.js'
import {
  commonSettings,
  findTunedTask,
  tasksTunedFor,
  tunedCommon,
  tunedMethod,
  tunedTaskName,
} from './tuned.js'

/** HARL's own computation where it differs from the textbook's, which is the default, per update rule. */
const ofAdvantages: PartialConfig = { truncation: 'harl', advantageNorm: 'agent' }
const harlComputation: Readonly<Partial<Record<UpdateRule, PartialConfig>>> = {
  trustRegion: ofAdvantages,
  clipped: ofAdvantages,
}

/** Settings and their provenance. */
export interface PresetChoice {
  /** Later settings are laid over earlier ones. */
  readonly settings: readonly PartialConfig[]
  /** The preset's name, where one was asked for. */
  readonly preset?: string
  /**
   * The row of HARL's tuned settings that was used, such as `Walker2d-2x3`. Where the method is another one than the
   * row was tuned with, that one is named too: `Walker2d-2x3 with <method>`.
   */
  readonly tunedFor?: string
}

/** Settings for a task and a method. @throws HatrpoError (exit code 2) where the preset has none */
type Preset = (envId: string, algo: AlgorithmName) => PresetChoice

/** The tuned row of a task for the update rule of a method, which is the default where there is one. */
function tunedChoice(envId: string, algo: AlgorithmName): PresetChoice | undefined {
  const { update } = algorithms[algo]
  const row = findTunedTask(envId, update)
  const settings = row?.settings[update]
  if (!row || !settings) return undefined
  const method = tunedMethod(update)
  const other = method === undefined || method === algo ? '' : ` with ${method}`
  return {
    settings: [...commonSettings(update), ...(tunedCommon[update] ?? []), settings],
    tunedFor: `${tunedTaskName(row)}${other}`,
  }
}

const harl: Preset = (envId, algo) => {
  const choice = tunedChoice(envId, algo)
  if (!choice) {
    const robots = new Set(tasksTunedFor(algorithms[algo].update).map(({ robot }) => robot))
    const there =
      robots.size === 0 ? 'it has none for this method' : `it has them for ${[...robots].join(', ')}`
    throw usageError(`--preset harl has no tuned settings for ${algo} on ${envId}: ${there}`)
  }
  const { settings, ...tuned } = choice
  return { preset: 'harl', ...tuned, settings: [...settings, harlComputation[algorithms[algo].update] ?? {}] }
}

/** A preset of published values, for the update rules that it has any for. */
function published(preset: string, values: PublishedSettings): Preset {
  return (envId, algo) => {
    const chosen = publishedValues(values, envId, algorithms[algo])
    if (!chosen) {
      const methods = algorithmNames.filter((name) => values.rules[algorithms[name].update])
      throw usageError(
        `--preset ${preset} has no settings for ${algo}: it has them for ${methods.join(', ')}`,
      )
    }
    return { preset, settings: [chosen.map(({ key, value }) => nested(key, value)).reduce(merge)] }
  }
}

const presets: Readonly<Record<string, Preset>> = {
  harl,
  paper: published('paper', PAPER),
  marllib: published('marllib', MARLLIB),
}

/** The presets that can be chosen. */
export const presetNames: readonly string[] = Object.keys(presets)

/** Settings of the preset called `name`; without a name, the task's tuned row and the textbook's computation. */
export function choosePreset(name: string | undefined, envId: string, algo: AlgorithmName): PresetChoice {
  if (name === undefined)
    return tunedChoice(envId, algo) ?? { settings: commonSettings(algorithms[algo].update) }
  const names = presetNames.join(', ')
  if (!Object.hasOwn(presets, name)) {
    const nearest = nearestName(name, presetNames)
    throw usageError(
      `--preset is ${JSON.stringify(name)}: it must be one of ${names}` +
        (nearest ? ` (did you mean ${nearest}?)` : ''),
    )
  }
  return presets[name](envId, algo)
}
