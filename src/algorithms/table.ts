/** Rule by which a policy is improved. */
export type UpdateRule = 'trustRegion' | 'clipped' | 'offPolicy' | 'exact'
/** `single`: one policy for all; `simultaneous`: all agents from the same advantages; `sequential`: in turn, with factor M. */
export type Turns = 'single' | 'simultaneous' | 'sequential' | 'greedy'
/** Input of the critic. */
export type CriticView = 'state' | 'perAgent' | 'perAgentJoint' | 'exact'
export type ActorSets = 'one' | 'own' | 'ownOrShared'
/** Division of the KL budget between agents. `fixed`: every policy has the bound of its rule, KL or clip range. */
export type KlBudget = 'fixed' | 'kkt' | 'greedy' | 'penalty' | 'none'

/** One method of the family. `parts.ts` defines the meaning of each value. */
export interface Algorithm {
  readonly update: UpdateRule
  readonly schedule: Turns
  readonly critic: CriticView
  readonly actors: ActorSets
  readonly klBudget: KlBudget
}

const trustRegion = { update: 'trustRegion', klBudget: 'fixed' } as const
const clipped = { update: 'clipped', klBudget: 'fixed' } as const
const single = { schedule: 'single', critic: 'state', actors: 'one' } as const
const independent = { schedule: 'simultaneous', critic: 'perAgent', actors: 'ownOrShared' } as const
const central = { schedule: 'simultaneous', critic: 'state', actors: 'ownOrShared' } as const
const sequential = { schedule: 'sequential', critic: 'state', actors: 'own' } as const

/** The family of methods. To add a method, add a row and the parts in it that do not exist yet. */
export const algorithms = {
  hatrpo: { ...trustRegion, ...sequential },
  happo: { ...clipped, ...sequential },
  trpo: { ...trustRegion, ...single },
  ppo: { ...clipped, ...single },
  itrpo: { ...trustRegion, ...independent },
  ippo: { ...clipped, ...independent },
  matrpo: { ...trustRegion, ...central },
  mappo: { ...clipped, ...central },
  'hatrpo-w': { ...trustRegion, ...sequential, klBudget: 'kkt' },
  'hatrpo-g': { ...trustRegion, ...sequential, schedule: 'greedy', klBudget: 'greedy' },
  maddpg: {
    update: 'offPolicy',
    schedule: 'simultaneous',
    critic: 'perAgentJoint',
    actors: 'own',
    klBudget: 'none',
  },
  'policy-iteration': {
    update: 'exact',
    schedule: 'sequential',
    critic: 'exact',
    actors: 'own',
    klBudget: 'penalty',
  },
} as const satisfies Record<string, Algorithm>

export type AlgorithmName = keyof typeof algorithms

export const algorithmNames = Object.keys(algorithms) as AlgorithmName[]
