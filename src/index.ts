/**
 * hatrpo: trust-region multi-agent reinforcement learning.
 *
 * `resolveConfig` turns settings into a checked configuration, and `train` writes a run folder, which `evaluate`,
 * `exportPolicies` and `compareRuns` read. The contract of environments and helpers for their authors are in
 * `hatrpo/env`; `hatrpo/runtime` loads exported policies.
 * @module hatrpo
 */
// First, because it throws if the package was bundled, in which case nothing else works.
export { packageVersion } from './runs/version.js'
export { trainableAlgorithms } from './algorithms/parts.js'
export {
  algorithmNames,
  algorithms,
  type ActorSets,
  type Algorithm,
  type AlgorithmName,
  type CriticView,
  type KlBudget,
  type Turns,
  type UpdateRule,
} from './algorithms/table.js'
export type { MarkovGame, TabularPolicy } from './algorithms/tabular/game.js'
export {
  policyIteration,
  type PolicyIterationOptions,
  type PolicyIterationResult,
} from './algorithms/tabular/iteration.js'
export {
  listEnvs,
  loadEnvFactory,
  makeEnvFactory,
  type EnvConfig,
  type EnvFactory,
  type EnvListing,
} from './envs/index.js'
export type { SimdMode } from './devices/open.js'
export { HatrpoError } from './errors.js'
export {
  describeValues,
  resolveConfig,
  totalIterations,
  validateConfig,
  type ConfigOrigin,
  type ConfigSources,
  type DescribedValue,
  type Origins,
  type PartialConfig,
  type ResolvedConfig,
  type TrainConfig,
  type ValueOrigin,
} from './config/index.js'
export { compareRuns, type CompareOptions } from './report/compare.js'
export type { Interval } from './report/bootstrap.js'
export type {
  ComparedRun,
  Comparison,
  Improvement,
  MethodSummary,
  OverallComparison,
  Profile,
  Profiles,
  Scale,
  TaskComparison,
  TaskMethod,
} from './report/comparison.js'
export type { MethodPoint } from './report/curve.js'
export type {
  AgentRecord,
  CriticRecord,
  EvaluationRecord,
  Finding,
  IterationRecord,
  OpponentReturns,
  Spread,
  TrainOptions,
  TrainResult,
} from './runs/types.js'
export { diagnose } from './runs/diagnostics.js'
export { evaluate, type EvaluateOptions, type EvaluateResult } from './training/evaluate.js'
export type { WrittenBundle } from './export/write.js'
export { exportPolicies, type ExportOptions } from './training/export.js'
export { render, type RenderedFile, type RenderOptions, type RenderResult } from './training/render.js'
export { train } from './training/train.js'
