export {
  BASIC_NEEDS,
  carriedColumns,
  historySize,
  jointSize,
  policyColumns,
  type RolloutNeeds,
} from './columns.js'
export { describeFault, type Fault } from './faults.js'
export type { EnvProgress, EpisodeOutcomes } from './messages.js'
export { joinAgents, joinedParts, joinedSpec } from './joined.js'
export { openSource, startThreads } from './open.js'
export { WorkerPolicies } from './policies.js'
export { episodeSeed } from './seeds.js'
export {
  freshProgress,
  shareOut,
  type EvaluationOrder,
  type PlayRules,
  type Rollout,
  type RolloutSource,
  type SourceOptions,
} from './source.js'
export { callEnv, teamReward } from './stepping.js'
export { RolloutStorage, rowOf, type RolloutLayout } from './storage.js'
