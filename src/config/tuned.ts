import { type AlgorithmName, algorithmNames, algorithms, type UpdateRule } from '../algorithms/table.js'
import type { PartialConfig } from './defaults.js'

/** A task and HARL's settings for it, per update rule. A rule that HARL did not tune on the task is absent. */
export interface TunedTask {
  readonly robot: string
  /** Number of agents. */
  readonly agents: number
  /** Joints per agent. */
  readonly joints: number
  readonly settings: Readonly<Partial<Record<UpdateRule, PartialConfig>>>
}

interface ClippedSettings {
  readonly clip: number
  readonly epochs: number
  readonly miniBatches: number
  readonly entropyCoef: number
  readonly lr: number
  readonly lrDecay: boolean
}

const clippedCommon: ClippedSettings = {
  clip: 0.1,
  epochs: 5,
  miniBatches: 1,
  entropyCoef: 0,
  lr: 5e-4,
  lrDecay: false,
}

/** @param delta KL threshold */
function trustRegion(delta: number): PartialConfig {
  return { trustRegion: { delta } }
}

/** HARL gives the actors and the critic of a task the same learning rate, clip, epochs and mini-batches. */
function clipped(differences: Partial<ClippedSettings> = {}): PartialConfig {
  const settings = { ...clippedCommon, ...differences }
  const { lr, clip, epochs, miniBatches } = settings
  return { critic: { lr, clip, epochs, miniBatches }, clipped: settings }
}

/** Settings of networks whose hidden layers have these widths. */
const widths = (...hidden: number[]): PartialConfig => ({ actor: { hidden }, critic: { hidden } })

/** HARL's values that all its tuned tasks share and `baseConfig` has otherwise, per update rule. */
export const tunedCommon: Readonly<Partial<Record<UpdateRule, readonly PartialConfig[]>>> = {
  trustRegion: [widths(128, 128, 128)],
  clipped: [widths(128, 128, 128)],
  offPolicy: [widths(256, 256)],
}

/** HARL's values for all tasks, tuned or not, where `baseConfig` has those of another update rule. */
const common: Readonly<Partial<Record<UpdateRule, PartialConfig>>> = {
  offPolicy: {
    envs: 10,
    rolloutSteps: 50,
    actor: { inputNorm: false, standardise: false, agentId: false },
    critic: { inputNorm: false, standardise: false, lr: 1e-3 },
  },
}

export function commonSettings(rule: UpdateRule): readonly PartialConfig[] {
  const settings = common[rule]
  return settings ? [settings] : []
}

/** @param differences from the settings of most tasks */
function offPolicy(differences: PartialConfig['offPolicy'] = {}): PartialConfig {
  return { offPolicy: { nStep: 20, ...differences } }
}

/**
 * HARL's tuned settings for Multi-Agent MuJoCo: only the values that differ between tasks.
 *
 * Source: HARL, `tuned_configs/mujoco/<task>/<algorithm>/config.json` (Zhong et al., JMLR 2024), where the algorithm is
 * `tunedMethod` of the update rule. Other methods with the same update rule get the same values, untuned.
 */
export const tunedTasks: readonly TunedTask[] = [
  {
    robot: 'HalfCheetah',
    agents: 2,
    joints: 3,
    settings: {
      trustRegion: trustRegion(0.01),
      clipped: clipped({ clip: 0.05, epochs: 15, entropyCoef: 0.01 }),
      offPolicy: offPolicy(),
    },
  },
  {
    robot: 'Walker2d',
    agents: 2,
    joints: 3,
    settings: {
      trustRegion: trustRegion(0.01),
      clipped: clipped({ clip: 0.05, miniBatches: 2, lr: 1e-3, lrDecay: true }),
      offPolicy: offPolicy({ nStep: 10 }),
    },
  },
  {
    robot: 'Walker2d',
    agents: 6,
    joints: 1,
    settings: {
      trustRegion: trustRegion(0.005),
      clipped: clipped({ entropyCoef: 0.01 }),
      offPolicy: offPolicy(),
    },
  },
  {
    robot: 'Ant',
    agents: 4,
    joints: 2,
    settings: {
      trustRegion: trustRegion(0.005),
      clipped: clipped(),
      offPolicy: offPolicy({ noise: 0.05, updatesPerStep: 0.5 }),
    },
  },
  {
    robot: 'Hopper',
    agents: 3,
    joints: 1,
    settings: {
      trustRegion: trustRegion(0.001),
      clipped: clipped({ clip: 0.05, epochs: 10, lrDecay: true }),
      offPolicy: offPolicy(),
    },
  },
  {
    robot: 'Humanoid',
    agents: 17,
    joints: 1,
    settings: { clipped: clipped({ lrDecay: true }) },
  },
]

/** The method that HARL's settings of an update rule were tuned with: the sequential one that allocates no KL budget. */
export function tunedMethod(rule: UpdateRule): AlgorithmName | undefined {
  return algorithmNames.find((name) => {
    const { update, schedule, klBudget } = algorithms[name]
    return update === rule && schedule === 'sequential' && klBudget === 'fixed'
  })
}

/** Name of a row, such as `HalfCheetah-2x3`, as in the ids of environments. */
export function tunedTaskName(task: TunedTask): string {
  return `${task.robot}-${task.agents}x${task.joints}`
}

/** The tasks with settings for an update rule. */
export function tasksTunedFor(rule: UpdateRule): TunedTask[] {
  return tunedTasks.filter(({ settings }) => settings[rule] !== undefined)
}

/**
 * The row tuned for a task, or for the same robot split between the nearest number of agents.
 *
 * @returns undefined for other environments, and where HARL tuned no method with this update rule
 */
export function findTunedTask(envId: string, rule: UpdateRule): TunedTask | undefined {
  const match = /^mamujoco\/([A-Za-z0-9]+)-(\d+)(?:x\d+|p\d+|_\d+)/.exec(envId)
  if (!match) return undefined
  const agents = Number(match[2])
  const rows = tasksTunedFor(rule).filter((task) => task.robot === match[1])
  const distance = (task: TunedTask) => Math.abs(task.agents - agents)
  return rows.reduce<TunedTask | undefined>(
    (best, task) => (best && distance(best) <= distance(task) ? best : task),
    undefined,
  )
}
