import { deviceNames } from '../devices/open.js'
import { LATER } from './later.js'
import type { TrainConfig } from './schema.js'

/** A configuration of which only some keys are given. */
export type PartialConfig = {
  [K in keyof TrainConfig]?: TrainConfig[K] extends unknown[]
    ? TrainConfig[K]
    : TrainConfig[K] extends object
      ? Partial<TrainConfig[K]>
      : TrainConfig[K]
}

/** Values that hold for every task unless its tuned row, a preset or the user gives another. */
export const baseConfig: Omit<TrainConfig, 'env' | 'algo'> = {
  seed: 1,
  steps: 10_000_000,
  envs: 20,
  rolloutSteps: 200,
  device: deviceNames[0],
  actor: {
    hidden: [128, 128],
    activation: 'relu',
    inputNorm: true,
    standardise: true,
    agentId: true,
    stdX: 1,
    stdY: 0.5,
    headGain: 0.01,
    ...LATER.actor,
  },
  critic: {
    hidden: [128, 128],
    activation: 'relu',
    inputNorm: true,
    standardise: true,
    lr: 5e-4,
    epochs: 5,
    miniBatches: 1,
    clip: 0.2,
    clippedLoss: true,
    huberDelta: 10,
    maxGradNorm: 10,
    valueNorm: true,
    lossCoef: 1,
    ...LATER.critic,
  },
  adamEps: 1e-5,
  gamma: 0.99,
  lambda: 0.95,
  truncation: 'bootstrap',
  advantageNorm: 'joint',
  order: 'random',
  trustRegion: {
    delta: 0.01,
    damping: 0.1,
    cgIterations: 10,
    cgTolerance: 1e-10,
    lineSearchSteps: 10,
    backtrack: 0.8,
    acceptRatio: 0.5,
    miniBatches: 1,
    ...LATER.trustRegion,
  },
  allocation: LATER.allocation,
  opponents: LATER.opponents,
  clipped: {
    lr: 5e-4,
    clip: 0.2,
    epochs: 5,
    miniBatches: 1,
    entropyCoef: 0.01,
    maxGradNorm: 10,
    lrDecay: false,
  },
  offPolicy: LATER.offPolicy,
  evaluation: { every: 25, episodes: 40 },
  checkpoint: { every: 10, keepEvery: 0 },
}
