import { algorithms, type UpdateRule } from '../algorithms/table.js'
import type { TrainConfig } from '../config/index.js'
import type { EnvSpec } from '../envs/contract.js'
import type { InitialNetworks } from './initial.js'
import { TeamLearner, type RunLearner } from './learner.js'
import { OffPolicyLearner } from './off-policy.js'

type MakeLearner = (config: TrainConfig, env: EnvSpec, initial: InitialNetworks | null) => Promise<RunLearner>

/** Learners of a run, by the method's update rule. */
const LEARNERS: Readonly<Record<UpdateRule, MakeLearner>> = {
  trustRegion: (...args) => TeamLearner.create(...args),
  clipped: (...args) => TeamLearner.create(...args),
  offPolicy: (...args) => OffPolicyLearner.create(...args),
  exact: (...args) => TeamLearner.create(...args),
}

/** The learner of a run. @throws HatrpoError (exit code 2) for what does not fit the environment */
export function createLearner(
  config: TrainConfig,
  env: EnvSpec,
  initial: InitialNetworks | null,
): Promise<RunLearner> {
  return LEARNERS[algorithms[config.algo].update](config, env, initial)
}
