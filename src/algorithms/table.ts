/** How an agent's policy is improved. */
export type UpdateRule = 'trustRegion' | 'clipped' | 'offPolicy' | 'exact'

/** One method of the family: what sets it apart from the others. */
export interface Algorithm {
  readonly update: UpdateRule
  /** `single`: one policy for all; `simultaneous`: all agents from the same advantages; `sequential`: in turn, with factor M. */
  readonly schedule: 'single' | 'simultaneous' | 'sequential' | 'greedy'
  /** What the critic sees by default. */
  readonly critic: 'state' | 'perAgent' | 'perAgentJoint' | 'exact'
  readonly actors: 'one' | 'own' | 'ownOrShared'
  /** How the KL budget is split between agents. */
  readonly klBudget: 'fixed' | 'kkt' | 'greedy' | 'penalty' | 'none'
  /** False for methods that have a name here but cannot be trained yet. */
  readonly supported: boolean
}

const trustRegion = { update: 'trustRegion', klBudget: 'fixed', supported: false } as const
const clipped = { update: 'clipped', klBudget: 'fixed', supported: false } as const
const single = { schedule: 'single', critic: 'state', actors: 'one' } as const
const independent = { schedule: 'simultaneous', critic: 'perAgent', actors: 'ownOrShared' } as const
const central = { schedule: 'simultaneous', critic: 'state', actors: 'ownOrShared' } as const
const sequential = { schedule: 'sequential', critic: 'state', actors: 'own' } as const

/** The family. A method is a row: adding one means adding a row and, where it is new, the rule that it names. */
export const algorithms = {
  hatrpo: { ...trustRegion, ...sequential, supported: true },
  happo: { ...clipped, ...sequential, supported: true },
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
    supported: false,
  },
  'policy-iteration': {
    update: 'exact',
    schedule: 'sequential',
    critic: 'exact',
    actors: 'own',
    klBudget: 'penalty',
    supported: false,
  },
} as const satisfies Record<string, Algorithm>

export type AlgorithmName = keyof typeof algorithms

export const algorithmNames = Object.keys(algorithms) as AlgorithmName[]

/** Names of the methods that can be trained. */
export type TrainableName = {
  [Name in AlgorithmName]: (typeof algorithms)[Name]['supported'] extends true ? Name : never
}[AlgorithmName]

/** The methods that can be trained. */
export const trainableAlgorithms: readonly TrainableName[] = algorithmNames.filter(
  (name): name is TrainableName => algorithms[name].supported,
)
