import { usageError } from '../errors.js'
import type { TrainConfig } from './schema.js'
import { nearestName } from '../text/nearest.js'
import { findTunedTask, type TunedTask, tunedTaskName, tunedTasks } from './tuned.js'

/** A configuration of which only some keys are given. */
export type PartialConfig = {
  [K in keyof TrainConfig]?: TrainConfig[K] extends unknown[]
    ? TrainConfig[K]
    : TrainConfig[K] extends object
      ? Partial<TrainConfig[K]>
      : TrainConfig[K]
}

/** Values that hold for every task unless its tuned row, a preset or the user says otherwise. */
export const baseConfig: Omit<TrainConfig, 'env' | 'algo'> = {
  seed: 1,
  steps: 10_000_000,
  envs: 20,
  rolloutSteps: 200,
  device: 'wasm',
  actor: {
    hidden: [128, 128],
    activation: 'relu',
    inputNorm: true,
    standardise: true,
    agentId: true,
    stdX: 1,
    stdY: 0.5,
    headGain: 0.01,
  },
  critic: {
    hidden: [128, 128],
    activation: 'relu',
    inputNorm: true,
    standardise: true,
    lr: 5e-4,
    epochs: 5,
    miniBatches: 1,
    clip: 0.2,
    clippedLoss: true,
    huberDelta: 10,
    maxGradNorm: 10,
    valueNorm: true,
    lossCoef: 1,
  },
  adamEps: 1e-5,
  gamma: 0.99,
  lambda: 0.95,
  truncation: 'bootstrap',
  advantageNorm: 'joint',
  order: 'random',
  trustRegion: {
    delta: 0.01,
    damping: 0.1,
    cgIterations: 10,
    cgTolerance: 1e-10,
    lineSearchSteps: 10,
    backtrack: 0.8,
    acceptRatio: 0.5,
    miniBatches: 1,
  },
  clipped: {
    lr: 5e-4,
    clip: 0.2,
    epochs: 5,
    miniBatches: 1,
    entropyCoef: 0.01,
    maxGradNorm: 10,
    lrDecay: false,
  },
  evaluation: { every: 25, episodes: 40 },
  checkpoint: { every: 10, keepEvery: 0 },
}

/** What HARL's tuned configurations have in common and `baseConfig` has not. */
const tunedCommon: PartialConfig = {
  actor: { hidden: [128, 128, 128] },
  critic: { hidden: [128, 128, 128] },
}

/** Where HARL's own computation differs from the textbook's, which is the default. */
const harlComputation: PartialConfig = { truncation: 'harl', advantageNorm: 'agent' }

function tunedSettings(row: TunedTask, algo: 'hatrpo' | 'happo'): PartialConfig {
  if (algo === 'hatrpo') return { ...tunedCommon, trustRegion: { ...row.hatrpo } }
  const happo = row.happo!
  const { lr, clip, epochs, miniBatches } = happo
  return {
    ...tunedCommon,
    critic: { ...tunedCommon.critic, lr, clip, epochs, miniBatches },
    clipped: { ...happo },
  }
}

/** Settings and where they are from. */
export interface PresetChoice {
  readonly settings: readonly PartialConfig[]
  /** The preset's name, where one was asked for. */
  readonly preset?: string
  /** The row of HARL's tuned settings that was used, such as `Walker2d-2x3`. */
  readonly tunedFor?: string
}

type Preset = (envId: string, algo: 'hatrpo' | 'happo') => PresetChoice

/** The tuned row alone, without HARL's departures from the textbook: what is used when no preset is named. */
const defaultPreset: Preset = (envId, algo) => {
  const row = findTunedTask(envId, algo)
  return row ? { settings: [tunedSettings(row, algo)], tunedFor: tunedTaskName(row) } : { settings: [] }
}

const harl: Preset = (envId, algo) => {
  const row = findTunedTask(envId, algo)
  if (!row) {
    const robots = new Set(tunedTasks.filter((task) => task[algo]).map((task) => task.robot))
    throw usageError(
      `--preset harl has no tuned settings for ${algo} on ${envId}: it has them for ${[...robots].join(', ')}`,
    )
  }
  const settings = [tunedSettings(row, algo), harlComputation]
  return { settings, preset: 'harl', tunedFor: tunedTaskName(row) }
}

/** A published setting that needs something that is not there yet. */
function unsupported(name: string, needs: string): Preset {
  return () => {
    throw usageError(`--preset ${name} is not supported yet: it needs ${needs}; --preset harl is supported`)
  }
}

export const presets: Readonly<Record<string, Preset>> = {
  harl,
  paper: unsupported('paper', 'a critic of its own for every agent'),
  marllib: unsupported('marllib', "RLlib's additional KL penalty"),
}

/** Settings of the preset called `name`, or those used when none is named. */
export function choosePreset(
  name: string | undefined,
  envId: string,
  algo: 'hatrpo' | 'happo',
): PresetChoice {
  if (name === undefined) return defaultPreset(envId, algo)
  if (!Object.hasOwn(presets, name)) {
    const names = Object.keys(presets)
    const nearest = nearestName(name, names)
    throw usageError(
      `--preset is ${JSON.stringify(name)}: it must be one of ${names.join(', ')}` +
        (nearest ? ` (did you mean ${nearest}?)` : ''),
    )
  }
  return presets[name](envId, algo)
}
