import { algorithms, type UpdateRule } from '../algorithms/table.js'
import type { TrainConfig } from '../config/index.js'
import type { EnvSpec } from '../envs/contract.js'
import { TeamLearner, type RunLearner } from './learner.js'
import { OffPolicyLearner } from './off-policy.js'

type MakeLearner = (config: TrainConfig, env: EnvSpec) => Promise<RunLearner>

/** What learns in the iterations of a run, by the method's update rule. */
const LEARNERS: Readonly<Record<UpdateRule, MakeLearner>> = {
  trustRegion: (config, env) => TeamLearner.create(config, env),
  clipped: (config, env) => TeamLearner.create(config, env),
  offPolicy: (config, env) => OffPolicyLearner.create(config, env),
  exact: (config, env) => TeamLearner.create(config, env),
}

/** The learner of a run. @throws HatrpoError (exit code 2) for what does not fit the environment */
export function createLearner(config: TrainConfig, env: EnvSpec): Promise<RunLearner> {
  return LEARNERS[algorithms[config.algo].update](config, env)
}
