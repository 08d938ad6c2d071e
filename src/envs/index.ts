/**
 * Environments: the contract, the built-in ones, helpers for authors, and `checkEnv`.
 * @module hatrpo/env
 */
export * from './contract.js'
export { BrokenStepError } from './broken-step-error.js'
export { EnvContext } from './context.js'
export type { EnvConfig, EnvFactory, EnvListing } from './factory.js'
export { compileMujoco } from './mujoco/compile.js'
export { PhysicsError } from './physics-error.js'
export { EpisodeRecording, type EnvViews } from './recording.js'
export { withReplay } from './replayed.js'
export {
  assertEnvExists,
  listEnvs,
  loadEnvFactory,
  loadEnvMaker,
  makeEnvFactory,
  parseEnvId,
} from './registry.js'
export { checkFiniteGame, type FiniteGame } from './finite-game.js'
export { RandomStream } from './random.js'
export { isPettingZooId } from './pettingzoo/options.js'
export type { Point, Scene, Shape, Solid, View as SceneView } from './scene.js'
export { box, discrete, multiDiscrete } from './spaces.js'
export * from './check/index.js'
export {
  defineEnv,
  type EnvDefinition,
  type EnvMemory,
  type EnvOptions,
  type EnvParts,
  type NumberArray,
} from './define.js'
export {
  toParallelEnv,
  type ByAgent,
  type ParallelAction,
  type ParallelEnv,
  type ParallelInfo,
  type ParallelStep,
} from './parallel.js'
export { cosine, sine } from './trigonometry.js'
export { defineMujocoTeam, type MakeTeam } from './team/define.js'
export type {
  MujocoTeam,
  Numbers,
  ResetNoise,
  TeamFunctions,
  TeamScene,
  TeamStart,
  View,
} from './team/definition.js'
export type { Field, Reading, StateField } from './team/fields.js'
export type { TeamOptions } from './team/options.js'
