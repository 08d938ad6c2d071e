import { type AlgorithmName, algorithmNames, algorithms, type UpdateRule } from '../algorithms/table.js'
import { usageError } from '../errors.js'
import { didYouMean } from '../text/nearest.js'
import type { PartialConfig } from './defaults.js'
import type { Layer, ValueOrigin } from './origins.js'
import { MARLLIB, PAPER, publishedValues, type PublishedSettings } from './published.js'
import { HARL_TUNED } from './sources.js'
import { nested } from './tree.js'
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
  readonly layers: readonly Layer[]
  /** Name of the requested preset, if any. */
  readonly preset?: string
  /**
   * The row of HARL's tuned settings that was used, such as `Walker2d-2x3`. Where the method is another one than the
   * row was tuned with, that one is named too: `Walker2d-2x3 with <method>`.
   */
  readonly tunedFor?: string
}

/** Settings for a task and a method. @throws HatrpoError (exit code 2) where the preset has none */
type Choose = (envId: string, algo: AlgorithmName, preset: string) => PresetChoice

/** Files of HARL. */
const HARL_COMMON = 'HARL, configs/algos_cfgs'
const HARL_ADVANTAGES = 'HARL, common/buffers and algorithms/actors'

/** Settings of one origin, group by group. */
function layer(settings: PartialConfig, origin: ValueOrigin): Layer {
  return { settings, origin }
}

/** Values of an update rule that hold for all tasks. */
function commonLayers(rule: UpdateRule, origin: ValueOrigin): Layer[] {
  return commonSettings(rule).map((settings) => layer(settings, { ...origin, source: HARL_COMMON }))
}

/**
 * Tuned row of a task for the update rule of a method, which is the default if it exists.
 * @param preset the preset that requests it
 */
function tunedChoice(envId: string, algo: AlgorithmName, preset?: string): PresetChoice | undefined {
  const { update } = algorithms[algo]
  const row = findTunedTask(envId, update)
  const settings = row?.settings[update]
  if (!row || !settings) return undefined
  const method = tunedMethod(update)
  const other = method === undefined || method === algo ? '' : ` with ${method}`
  const tunedFor = `${tunedTaskName(row)}${other}`
  const common: ValueOrigin = preset === undefined ? { from: 'default' } : { from: 'preset', name: preset }
  const tuned: ValueOrigin =
    preset === undefined ? { from: 'task', name: tunedFor } : { from: 'preset', name: preset }
  return {
    layers: [
      ...commonLayers(update, common),
      ...[...(tunedCommon[update] ?? []), settings].map((values) =>
        layer(values, { ...tuned, source: `${HARL_TUNED}, ${tunedFor}` }),
      ),
    ],
    tunedFor,
  }
}

const harl: Choose = (envId, algo, preset) => {
  const choice = tunedChoice(envId, algo, preset)
  if (!choice) {
    const robots = new Set(tasksTunedFor(algorithms[algo].update).map(({ robot }) => robot))
    const there =
      robots.size === 0 ? 'it has none for this method' : `it has settings for ${[...robots].join(', ')}`
    throw usageError(`--preset ${preset} has no tuned settings for ${algo} on ${envId}: ${there}`)
  }
  const computation = harlComputation[algorithms[algo].update] ?? {}
  const origin: ValueOrigin = { from: 'preset', name: preset, source: HARL_ADVANTAGES }
  return { preset, ...choice, layers: [...choice.layers, layer(computation, origin)] }
}

/** A preset of published values, for the update rules that it has any for. */
function published(values: PublishedSettings): Choose {
  return (envId, algo, preset) => {
    const chosen = publishedValues(values, envId, algorithms[algo])
    if (!chosen) {
      const methods = algorithmNames.filter((name) => values.rules[algorithms[name].update])
      throw usageError(
        `--preset ${preset} has no settings for ${algo}: it has settings for ${methods.join(', ')}`,
      )
    }
    const layers = chosen.map(({ key, value, source }): Layer => {
      return { settings: nested(key, value), origin: { from: 'preset', name: preset, source } }
    })
    return { preset, layers }
  }
}

interface Preset {
  readonly description: string
  readonly source: string
  readonly choose: Choose
}

const presets: Readonly<Record<string, Preset>> = {
  harl: {
    description: "tuned settings of the task, or of another division of its robot, and HARL's advantages",
    source: 'github.com/PKU-MARL/HARL, tuned_configs/mujoco',
    choose: harl,
  },
  paper: {
    description: 'settings of the code that Kuba et al. 2022 published, for every task',
    source: 'github.com/cyanrain7/TRPO-in-MARL',
    choose: published(PAPER),
  },
  marllib: {
    description: "MARLlib's finetuned settings of Multi-Agent MuJoCo, for every task",
    source: 'github.com/Replicable-MARL/MARLlib',
    choose: published(MARLLIB),
  },
}

/** The presets that can be chosen. */
export const presetNames: readonly string[] = Object.keys(presets)

/** All presets, as lists show them. */
export function listPresets(): { id: string; description: string; source: string }[] {
  return Object.entries(presets).map(([id, { description, source }]) => ({ id, description, source }))
}

/** Settings of the preset called `name`; without a name, the task's tuned row and the textbook's computation. */
export function choosePreset(name: string | undefined, envId: string, algo: AlgorithmName): PresetChoice {
  if (name === undefined) {
    const { update } = algorithms[algo]
    return tunedChoice(envId, algo) ?? { layers: commonLayers(update, { from: 'default' }) }
  }
  if (!Object.hasOwn(presets, name)) {
    throw usageError(
      `--preset is ${JSON.stringify(name)}: it must be one of ${presetNames.join(', ')}` +
        didYouMean(name, presetNames),
    )
  }
  return presets[name].choose(envId, algo, name)
}
