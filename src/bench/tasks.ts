import { partsOf, trainableAlgorithms } from '../algorithms/parts.js'
import { algorithms } from '../algorithms/table.js'
import type { TrainConfig } from '../config/index.js'
import { SOLVERS } from '../config/solvers.js'
import type { EnvConfig } from '../envs/index.js'

/** Tasks that published results compare learners on; version 2 has the observations of that time. */
export const TASKS: readonly EnvConfig[] = [
  { id: 'mamujoco/HalfCheetah-2x3' },
  { id: 'mamujoco/HalfCheetah-6x1' },
  { id: 'mamujoco/Ant-8x1', version: 'v2' },
  { id: 'mamujoco/Humanoid-17x1', version: 'v2' },
]

/** Methods that learn from rollouts. */
const learning = trainableAlgorithms.filter((name) => partsOf(algorithms[name])?.update.make)

/** The first of them of each update rule. */
export const METHODS: readonly TrainConfig['algo'][] = learning.filter(
  (name, i) => learning.findIndex((other) => algorithms[other].update === algorithms[name].update) === i,
)

/** Solvers other than the default one, which comes first. */
export const OTHER_SOLVERS = (Object.keys(SOLVERS) as (keyof typeof SOLVERS)[]).slice(1)

/** Widths of the hidden layers of all networks. */
export const HIDDEN: readonly number[] = [128, 128, 128]

/** Short name of an environment. */
export function taskName({ id }: EnvConfig): string {
  return id.slice(id.indexOf('/') + 1)
}

/** `1 thread`, `2 threads`, as results name them. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
