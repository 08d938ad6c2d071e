import type { Device } from '../../devices/device.js'
import type { Tensor } from '../../devices/tensor.js'
import type { Adam } from '../../learner/adam.js'
import type { DeterministicResult, DeterministicStep } from '../../learner/deterministic-step.js'
import type { QResult, QStep } from '../../learner/q-critic.js'
import type { NetworkParameters } from '../initial.js'
import type { ReplayBatch } from './batch.js'
import type { BlockLayout } from './block.js'
import type { Replay } from './replay.js'
import { updatesPerIteration, warmupIterations, type OffPolicyRule } from './rule.js'
import type { TargetCopy, Targets } from './targets.js'

/** A policy or critic with what checkpoints keep of it. */
interface Unit {
  /** In checkpoints. */
  readonly name: string
  readonly agents: readonly number[]
  readonly parameters: NetworkParameters
  readonly adam: Adam
  readonly target: TargetCopy
}

export interface DeterministicUnit extends Unit {
  readonly step: DeterministicStep
  readonly carried: null
}

export interface QUnit extends Unit {
  readonly step: QStep
  readonly valueNorm: null
}

/** Effect of an iteration's steps on a policy: means over those taken. */
export interface DeterministicOutcome {
  readonly agents: readonly number[]
  /** Minus the mean value of the policy's actions. */
  readonly policyLoss: number
  readonly gradNorm: number
  readonly rejectedSteps: number
  readonly rejection: DeterministicResult['rejection']
}

/** The same of a critic. */
export interface QReport {
  readonly loss: number
  readonly gradNorm: number
  readonly skippedSteps: number
  /** Of the actions recorded. */
  readonly meanValue: number
}

export interface ReplayImprovement {
  /** Empty where nothing was learned, as are the critics. */
  readonly turns: readonly DeterministicOutcome[]
  readonly critics: readonly QReport[]
}

interface Members {
  readonly device: Device
  readonly rule: OffPolicyRule & { readonly criticLr: number }
  /** Steps of every environment in an iteration. */
  readonly steps: number
  readonly policies: readonly DeterministicUnit[]
  readonly critics: readonly QUnit[]
  readonly block: BlockLayout
  readonly replay: Replay
  readonly batch: ReplayBatch
  readonly targets: Targets
}

/**
 * Deterministic policies that climb critics of all agents' actions (Lowe et al. 2017), over a replay of the
 * latest rollouts: everything that learns. Made by `assembleOffPolicy`.
 */
export class OffPolicyMethod {
  readonly device: Device
  readonly policies: readonly DeterministicUnit[]
  readonly critics: readonly QUnit[]
  readonly block: BlockLayout
  readonly replay: Replay
  /** No network is shuffled. */
  readonly shuffles: number[] = []
  readonly #members: Members

  constructor(members: Members) {
    this.device = members.device
    this.policies = members.policies
    this.critics = members.critics
    this.block = members.block
    this.replay = members.replay
    this.#members = members
  }

  /**
   * Learns from the replay, whose latest block is that of the iteration. Nothing is learned while actions are random ones.
   * @param iteration counted from 1
   */
  improve(iteration: number): ReplayImprovement {
    const { rule, steps } = this.#members
    const learned = iteration - 1 - warmupIterations(rule, steps)
    if (learned < 0) return { turns: [], critics: [] }
    const updates = updatesPerIteration(rule, steps)
    const results = Array.from({ length: updates }, (_, k) => this.#step(learned * updates + k))
    for (const { parameters } of this.policies) parameters.download()
    return {
      turns: this.policies.map(({ agents }, i) => ({
        agents,
        ...policyOutcome(results.map(({ actors }) => actors[i])),
      })),
      critics: this.critics.map((_, j) => criticReport(results.map(({ critics }) => critics[j]))),
    }
  }

  /** One update step: the critics, the policies along the critics' new slopes, the target networks. */
  #step(number: number): { critics: QResult[]; actors: DeterministicResult[] } {
    const { rule, replay, batch, targets, policies, critics } = this.#members
    batch.load(replay.draw(number))
    targets.compute()
    const q = critics.map(({ step }) => step.step(batch.valid.count, rule.criticLr))
    const mu = policies.map(({ step }, i) => step.step(batch.taking[i].count, rule.lr))
    for (const { target } of [...policies, ...critics]) target.follow(rule.polyak)
    return { critics: q, actors: mu }
  }

  /** Flat parameter vectors: policies, then critics. */
  parameters(): Float32Array[] {
    return [...this.policies, ...this.critics].map(({ parameters }) => this.read(parameters.tensor))
  }

  /** Parameters in the rollouts' memory of an agent's policy. */
  actingParameters(agent: number): Tensor {
    return this.policies[agent].parameters.host
  }

  read(tensor: Tensor): Float32Array {
    return this.device.read(tensor) as Float32Array
  }
}

function mean<T>(values: readonly T[], pick: (value: T) => number): number {
  return values.reduce((sum, value) => sum + pick(value), 0) / Math.max(1, values.length)
}

function policyOutcome(results: readonly DeterministicResult[]): Omit<DeterministicOutcome, 'agents'> {
  const taken = results.filter((result) => result.taken)
  const rejections = results.map(({ rejection }) => rejection)
  return {
    policyLoss: mean(taken, ({ loss }) => loss),
    gradNorm: mean(taken, ({ gradNorm }) => gradNorm),
    rejectedSteps: results.length - taken.length,
    rejection: rejections.find((rejection) => rejection === 'non-finite') ?? rejections.find(Boolean) ?? null,
  }
}

function criticReport(results: readonly QResult[]): QReport {
  const taken = results.filter((result) => result.taken)
  return {
    loss: mean(taken, ({ loss }) => loss),
    gradNorm: mean(taken, ({ gradNorm }) => gradNorm),
    skippedSteps: results.length - taken.length,
    meanValue: mean(taken, ({ meanValue }) => meanValue),
  }
}
