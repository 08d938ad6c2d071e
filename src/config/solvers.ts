import { usageError } from '../errors.js'
import { didYouMean } from '../text/nearest.js'
import { show } from '../text/show.js'
import type { TrainConfig } from './generated/train-config.js'
import { isTree, type Tree } from './tree.js'

type Solver = Pick<
  TrainConfig['trustRegion'],
  'cgIterations' | 'fisherStride' | 'preconditioner' | 'preconditionerAge'
>

/**
 * Named ways to find a trust region's direction. In a setting, `trustRegion.solver=NAME` stands for the values of a row;
 * docs/fewer-products.md compares them.
 *
 * | name  | Fisher products an update | rows of each | preconditioner |
 * |-------|---------------------------|--------------|----------------|
 * | plain | 10                        | all          | none           |
 * | fast  | 3                         | a quarter    | Kronecker-factored, from a quarter of the rows |
 */
export const SOLVERS = {
  plain: { cgIterations: 10, fisherStride: 1, preconditioner: 'none', preconditionerAge: 1 },
  fast: { cgIterations: 3, fisherStride: 4, preconditioner: 'kfac', preconditionerAge: 1 },
} as const satisfies Record<string, Solver>

/** Key that selects a row of the table. */
export const SOLVER_KEY = 'trustRegion.solver'

/**
 * Settings with a named solver's values in place of its name. Values beside the name win over the solver's.
 * @throws HatrpoError (exit code 2) for an unknown name
 */
export function expandSolver(settings: Tree): Tree {
  const { trustRegion } = settings
  if (!isTree(trustRegion) || trustRegion.solver === undefined) return settings
  const { solver, ...values } = trustRegion
  const names = Object.keys(SOLVERS)
  if (typeof solver !== 'string' || !names.includes(solver)) {
    throw usageError(
      `${SOLVER_KEY} is ${show(solver)}: it must be one of ${names.join(', ')}` + didYouMean(solver, names),
    )
  }
  return { ...settings, trustRegion: { ...SOLVERS[solver as keyof typeof SOLVERS], ...values } }
}
