import { basename } from 'node:path'
import { planMethod, type MethodPlan } from '../algorithms/assemble.js'
import { PAST_OPPONENTS, standIn } from '../algorithms/learners.js'
import type { TeamMethod } from '../algorithms/method.js'
import type { TrainConfig } from '../config/index.js'
import type { HostDevice } from '../devices/host.js'
import type { Tensor } from '../devices/tensor.js'
import type { AgentSpec, EnvSpec } from '../envs/contract.js'
import { HatrpoError, usageError } from '../errors.js'
import { PURPOSE, splitSeed } from '../kernels/index.js'
import type { PolicySpec } from '../learner/heads/head.js'
import { parameterLayout } from '../nn/layout.js'
import {
  shareOut,
  type EpisodeOutcomes,
  type EvaluationOrder,
  type RolloutSource,
  type WorkerPolicies,
} from '../rollout/index.js'
import type { CheckpointData } from '../runs/checkpoint.js'
import { readRunCheckpoint, readRunConfig } from '../runs/folder.js'
import type { OpponentReturns } from '../runs/types.js'
import { summarise } from './statistics.js'

/** An agent that the learning team plays against: the description of its policy, and which parameters it has. */
interface Player {
  readonly agent: number
  readonly spec: PolicySpec
  /** Index among the vectors of an opponent. */
  readonly vector: number
}

/** Policies that a team of opponents plays with. */
interface Opponent {
  /** Iteration that they are from, or the run. */
  readonly name: string
  /** Flat parameter vectors. */
  readonly vectors: readonly Float32Array[]
}

/** State of the opponents in a checkpoint, besides their parameters. */
export type OpponentState = { readonly names: readonly string[] }

/**
 * The opponents that a learning team meets, all of one shape. Which of them plays in an iteration depends on the seed and
 * the iteration alone.
 */
export class OpponentPool {
  readonly #config: TrainConfig
  readonly #host: HostDevice
  readonly #players: readonly Player[]
  /** In the host's memory, of the opponent that plays. */
  readonly #playing: readonly Tensor[]
  /** Number of vectors of an opponent. */
  readonly #count: number
  #opponents: readonly Opponent[]

  /**
   * The opponents that a configuration names; null where every agent learns.
   * @throws HatrpoError (exit code 2) for a folder without a run of the same environment, for agents whose spaces differ
   *   from those of the agents that play them, and for policies with another recurrent state: a rollout stores those of all
   *   agents in columns of one width
   */
  static open(config: TrainConfig, plan: MethodPlan, host: HostDevice): OpponentPool | null {
    if (plan.opponents.length === 0) return null
    const { from } = config.opponents
    if (from === PAST_OPPONENTS) return new OpponentPool(config, host, playersOf(plan, plan), plan, [])
    const { plan: other, vectors, name } = readRun(from, config, plan.env)
    if (other.needs.hidden !== plan.needs.hidden)
      throw usageError(
        `opponents.from is ${from}: its policies have a recurrent state of ${other.needs.hidden} numbers and the learning ones ` +
          `of ${plan.needs.hidden}: actor.gruLayers times actor.gruSize must be the same`,
      )
    return new OpponentPool(config, host, playersOf(plan, other), other, [{ name, vectors }])
  }

  /** Use `open`. */
  constructor(
    config: TrainConfig,
    host: HostDevice,
    players: readonly Player[],
    { groups }: MethodPlan,
    opponents: readonly Opponent[],
  ) {
    this.#config = config
    this.#host = host
    this.#players = players
    this.#count = groups.length
    this.#playing = groups.map(({ spec }) => host.tensor('f32', parameterLayout(spec).size))
    this.#opponents = opponents
  }

  /** Description and parameters of an opponent's policy; undefined for agents that learn. */
  policyOf(agent: number): { readonly spec: PolicySpec; readonly parameters: Tensor } | undefined {
    const player = this.#players.find((known) => known.agent === agent)
    return player && { spec: player.spec, parameters: this.#playing[player.vector] }
  }

  /** Latest parameters of an opponent's policy. */
  latest(agent: number): Float32Array | undefined {
    const player = this.#players.find((known) => known.agent === agent)
    return player && this.#opponents.at(-1)!.vectors[player.vector]
  }

  /** Takes the learning team's policies into the pool, where it is due after an iteration; 0: before the first. */
  grow(method: TeamMethod, iteration: number): void {
    const { from, every, pool } = this.#config.opponents
    if (from !== PAST_OPPONENTS || iteration % every !== 0) return
    const vectors = method.policies.map(({ parameters }) => method.read(parameters.tensor).slice())
    this.#opponents = [...this.#opponents, { name: `iteration ${iteration}`, vectors }].slice(-pool)
  }

  /** Lets the opponent of an iteration play. @returns its name */
  draw(iteration: number): string {
    const [low, high] = splitSeed(this.#config.seed)
    const { random32 } = this.#host.kernels.exports
    const number = random32(low, high, PURPOSE.opponents, 0, iteration, 0) >>> 0
    return this.#play(this.#opponents[number % this.#opponents.length])
  }

  /**
   * Outcomes of episodes against each opponent in turn, the latest first. Episodes start alike for all opponents.
   * @param policies prepared by this function
   */
  async evaluate(
    source: RolloutSource,
    policies: WorkerPolicies,
    order: EvaluationOrder,
  ): Promise<EpisodeOutcomes & { readonly opponents: OpponentReturns[] }> {
    const { episodes } = order
    const met = [...this.#opponents].reverse().slice(0, episodes)
    const shares = shareOut(episodes, met.length)
    const opponents: OpponentReturns[] = []
    const returns: number[] = []
    const lengths: number[] = []
    for (const [i, opponent] of met.entries()) {
      const name = this.#play(opponent)
      policies.prepare()
      const against = await source.evaluate(policies, { ...order, episodes: shares[i].count })
      opponents.push({ name, episodes: against.returns.length, ...summarise(against.returns) })
      returns.push(...against.returns)
      lengths.push(...against.lengths)
    }
    return { returns, lengths, opponents }
  }

  /** Parts of a checkpoint. */
  save(): { readonly tensors: Record<string, Float32Array>; readonly state: OpponentState } {
    const tensors: Record<string, Float32Array> = {}
    this.#opponents.forEach(({ vectors }, i) =>
      vectors.forEach((vector, v) => (tensors[`opponents/opponent_${i}_${v}`] = vector)),
    )
    return { tensors, state: { names: this.#opponents.map(({ name }) => name) } }
  }

  /** @throws HatrpoError for a checkpoint without opponents, or with those of other networks */
  restore({ tensors, state }: Pick<CheckpointData, 'tensors' | 'state'>): void {
    const { opponents } = state as { readonly opponents?: OpponentState }
    if (!opponents) throw new HatrpoError('the checkpoint has no opponents')
    this.#opponents = opponents.names.map((name, i) => {
      const vectors = Array.from({ length: this.#count }, (_, v) => {
        const vector = tensors[`opponents/opponent_${i}_${v}`]
        if (vector instanceof Float32Array && vector.length === this.#playing[v].length) return vector
        throw new HatrpoError(
          `the checkpoint's opponents/opponent_${i}_${v} is not ${this.#playing[v].length} f32 parameters`,
        )
      })
      return { name, vectors }
    })
  }

  #play({ name, vectors }: Opponent): string {
    vectors.forEach((vector, v) => this.#host.write(this.#playing[v], vector))
    return name
  }
}

/**
 * Outcomes of episodes, against the opponents where one team learns.
 * @param policies to be prepared here
 */
export async function evaluatePolicies(
  source: RolloutSource,
  policies: WorkerPolicies,
  pool: OpponentPool | null,
  order: EvaluationOrder,
): Promise<EpisodeOutcomes & { readonly opponents?: OpponentReturns[] }> {
  if (pool) return pool.evaluate(source, policies, order)
  policies.prepare()
  return source.evaluate(policies, order)
}

/** The agents that a method's learning team plays against, with policies of a plan of the same environment. */
function playersOf({ env, opponents }: MethodPlan, from: MethodPlan): Player[] {
  return opponents.map((agent) => {
    const model = standIn(agent, from.learners, env)
    if (spacesOf(env.agents[agent]) !== spacesOf(env.agents[model])) {
      throw usageError(
        `opponents.from: ${env.agents[agent].id} of ${env.id} cannot use the policy of ${env.agents[model].id}: their spaces differ`,
      )
    }
    const vector = from.groups.findIndex(({ agents }) => agents.includes(model))
    return { agent, spec: from.actors[model], vector }
  })
}

/** Spaces of an agent without their bounds, which do not affect networks. */
function spacesOf({ observation, action }: AgentSpec): string {
  const unbounded = action.kind === 'box' ? { kind: action.kind, size: action.size } : action
  return JSON.stringify([observation.size, unbounded])
}

/** The latest policies of a finished or unfinished run. */
function readRun(folder: string, { env }: TrainConfig, spec: EnvSpec) {
  const config = readRunConfig(folder)
  if (config.env.id !== env.id) {
    throw usageError(`opponents.from is ${folder}: its environment is ${config.env.id}, it must be ${env.id}`)
  }
  const plan = planMethod(config, spec)
  const { tensors, iteration } = readRunCheckpoint(folder)
  const vectors = plan.groups.map(({ name, spec: policy }) => {
    const values = tensors[`actors/${name}`]
    const { size } = parameterLayout(policy)
    if (values instanceof Float32Array && values.length === size) return values
    throw new HatrpoError(`${folder}: actors/${name} of its checkpoint is not ${size} f32 parameters`)
  })
  return { plan, vectors, name: `${basename(folder)}, iteration ${iteration}` }
}
