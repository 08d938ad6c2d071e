/**
 * HARL's tuned settings for Multi-Agent MuJoCo: only what differs between tasks.
 * Source: HARL, `tuned_configs/mujoco/<task>/<algorithm>/config.json` (Zhong et al., JMLR 2024).
 */
export interface TunedHatrpo {
  /** KL threshold. */
  readonly delta: number
}

/** HARL gives the actors and the critic of a task the same learning rate, clip, epochs and mini-batches. */
export interface TunedHappo {
  readonly clip: number
  readonly epochs: number
  readonly miniBatches: number
  readonly entropyCoef: number
  readonly lr: number
  readonly lrDecay: boolean
}

export interface TunedTask {
  readonly robot: string
  /** Number of agents. */
  readonly agents: number
  /** Joints per agent. */
  readonly joints: number
  readonly hatrpo?: TunedHatrpo
  readonly happo?: TunedHappo
}

const happo: TunedHappo = {
  clip: 0.1,
  epochs: 5,
  miniBatches: 1,
  entropyCoef: 0,
  lr: 5e-4,
  lrDecay: false,
}

export const tunedTasks: readonly TunedTask[] = [
  {
    robot: 'HalfCheetah',
    agents: 2,
    joints: 3,
    hatrpo: { delta: 0.01 },
    happo: { ...happo, clip: 0.05, epochs: 15, entropyCoef: 0.01 },
  },
  {
    robot: 'Walker2d',
    agents: 2,
    joints: 3,
    hatrpo: { delta: 0.01 },
    happo: { ...happo, clip: 0.05, miniBatches: 2, lr: 1e-3, lrDecay: true },
  },
  {
    robot: 'Walker2d',
    agents: 6,
    joints: 1,
    hatrpo: { delta: 0.005 },
    happo: { ...happo, entropyCoef: 0.01 },
  },
  { robot: 'Ant', agents: 4, joints: 2, hatrpo: { delta: 0.005 }, happo },
  {
    robot: 'Hopper',
    agents: 3,
    joints: 1,
    hatrpo: { delta: 0.001 },
    happo: { ...happo, clip: 0.05, epochs: 10, lrDecay: true },
  },
  { robot: 'Humanoid', agents: 17, joints: 1, happo: { ...happo, lrDecay: true } },
]

/** `HalfCheetah-2x3`: how a row is named in environments' ids and in run folders. */
export function tunedTaskName(task: TunedTask): string {
  return `${task.robot}-${task.agents}x${task.joints}`
}

/**
 * The row tuned for a task, or for the same robot split between the nearest number of agents.
 *
 * @returns undefined for other environments, and where HARL tuned no such algorithm
 */
export function findTunedTask(envId: string, algo: 'hatrpo' | 'happo'): TunedTask | undefined {
  const match = /^mamujoco\/([A-Za-z0-9]+)-(\d+)(?:x\d+|p\d+|_\d+)/.exec(envId)
  if (!match) return undefined
  const agents = Number(match[2])
  const rows = tunedTasks.filter((task) => task.robot === match[1] && task[algo])
  const distance = (task: TunedTask) => Math.abs(task.agents - agents)
  return rows.reduce<TunedTask | undefined>(
    (best, task) => (best && distance(best) <= distance(task) ? best : task),
    undefined,
  )
}
