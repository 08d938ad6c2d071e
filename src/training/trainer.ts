import type { AgentUpdate } from '../algorithms/agent-update.js'
import { ClippedAgent } from '../algorithms/clipped.js'
import { CriticLearner, type CriticOutcome } from '../algorithms/critic.js'
import { SequentialUpdate, type TurnOutcome } from '../algorithms/sequential.js'
import { actorSpecs, criticSpec } from '../algorithms/specs.js'
import { algorithms } from '../algorithms/table.js'
import { TrustRegionAgent } from '../algorithms/trust-region.js'
import type { Tensor } from '../devices/tensor.js'
import { WasmDevice } from '../devices/wasm/device.js'
import { usageError } from '../errors.js'
import type { EnvSpec } from '../envs/contract.js'
import { PURPOSE, splitSeed } from '../kernels/index.js'
import { Adam } from '../learner/adam.js'
import { PolicyBatch } from '../learner/batch.js'
import type { Shuffle } from '../learner/minibatches.js'
import { Network } from '../learner/network.js'
import { ValueNorm } from '../learner/value-norm.js'
import { initialParameters } from '../nn/initialise.js'
import { parameterLayout } from '../nn/layout.js'
import type { CriticSpec, GaussianActorSpec, NetworkSpec } from '../nn/spec.js'
import { RolloutStorage, WorkerPolicies } from '../rollout/index.js'
import { parametersSha256 } from '../runs/sha256.js'
import type { TrainConfig } from '../config/index.js'
import { Advantages, explainedVariance } from './advantages.js'

/** Gain of the value head's initialisation. */
const VALUE_HEAD_GAIN = 1

export interface Improvement {
  readonly turns: readonly TurnOutcome[]
  readonly critic: CriticOutcome & { readonly explainedVariance: number }
}

/** Everything that learns: networks, their optimisers and normalisers, on one device. */
export class Trainer {
  readonly config: TrainConfig
  readonly env: EnvSpec
  readonly device: WasmDevice
  readonly storage: RolloutStorage
  readonly actors: readonly GaussianActorSpec[]
  readonly critic: CriticSpec
  readonly actorParameters: readonly Tensor[]
  readonly criticParameters: Tensor
  /** One per agent for the clipped update, none for the trust region; the critic's is apart. */
  readonly actorAdams: readonly Adam[]
  readonly criticAdam: Adam
  readonly valueNorm: ValueNorm | null
  /** Passes over mini-batches made so far, per network (actors, then the critic): they key the shuffles. */
  readonly shuffles: number[]

  readonly #sequential: SequentialUpdate
  readonly #criticLearner: CriticLearner
  readonly #advantages: Advantages
  readonly #order: Tensor

  /** @throws HatrpoError (exit code 2) for an environment that the algorithm cannot train on */
  static async create(config: TrainConfig, env: EnvSpec): Promise<Trainer> {
    if (env.mode !== 'cooperative') {
      throw usageError(
        `environment ${env.id} has mode ${env.mode}: ${config.algo} trains teams, it must be cooperative`,
      )
    }
    return new Trainer(config, env, await WasmDevice.create())
  }

  private constructor(config: TrainConfig, env: EnvSpec, device: WasmDevice) {
    this.config = config
    this.env = env
    this.device = device
    this.actors = actorSpecs(config.actor, env)
    this.critic = criticSpec(config.critic, env)
    this.shuffles = new Array<number>(this.actors.length + 1).fill(0)
    const storage = new RolloutStorage(device, env, config.envs, config.rolloutSteps)
    this.storage = storage
    const { rows } = storage

    this.actorParameters = this.actors.map((spec, i) => this.#initialise(spec, config.actor.headGain, i))
    this.criticParameters = this.#initialise(this.critic, VALUE_HEAD_GAIN, this.actors.length)
    const { update } = algorithms[config.algo]
    const adam = (parameters: Tensor) => new Adam(device, parameters, config.adamEps)
    this.actorAdams = update === 'clipped' ? this.actorParameters.map(adam) : []
    this.criticAdam = adam(this.criticParameters)
    this.valueNorm = config.critic.valueNorm ? new ValueNorm() : null

    // Agents and critic learn one after another, so their activations share memory.
    const [actorNetworks, criticNetwork] = this.#workspaces()
    const updates = actorNetworks.map((network, i): AgentUpdate => {
      const parameters = this.actorParameters[i]
      const batch = new PolicyBatch(device, rows, storage.agents[i])
      const shuffle = this.#shuffle(i)
      return update === 'clipped'
        ? new ClippedAgent(device, network, parameters, batch, this.actorAdams[i], config.clipped, shuffle)
        : new TrustRegionAgent(device, network, parameters, batch, config.trustRegion, shuffle)
    })
    const { advantageNorm } = config
    this.#sequential = new SequentialUpdate(device, updates, rows, { advantageNorm })
    this.#advantages = new Advantages(device, storage, criticNetwork, this.criticParameters, config)
    this.#criticLearner = new CriticLearner(
      device,
      criticNetwork,
      this.criticParameters,
      {
        maxRows: rows,
        states: storage.states,
        oldValues: this.#advantages.outputs,
        returns: this.#advantages.returns,
        weight: storage.valid,
      },
      this.criticAdam,
      this.valueNorm,
      {
        ...config.critic,
        clip: config.critic.clippedLoss ? config.critic.clip : null,
        lrDecay: update === 'clipped' && config.clipped.lrDecay,
      },
      this.#shuffle(this.actors.length),
    )
    this.#order = device.tensor('i32', this.actors.length)
  }

  /** Policies for rollout workers, each of which steps `rows[worker]` environments at once. */
  workerPolicies(rows: readonly number[]): WorkerPolicies {
    return new WorkerPolicies(this.device, this.actors, this.actorParameters, rows, this.config.seed)
  }

  /**
   * Learns from the rollout in `storage`: advantages, the agents in turn, then the critic.
   * @param iteration counted from 1
   * @param progress share of the run that is done, for schedules
   */
  improve(iteration: number, progress: number): Improvement {
    const { device, storage } = this
    this.#advantages.compute(this.valueNorm)
    const { advantages, values, returns } = this.#advantages
    const explained = explainedVariance(device.read(values), device.read(returns), device.read(storage.valid))
    const turns = this.#sequential.run(advantages, storage.valid, this.#turnOrder(iteration), progress)
    const critic = this.#criticLearner.update(storage.rows, progress)
    return { turns, critic: { ...critic, explainedVariance: explained } }
  }

  /** Flat parameter vectors: actors in agent order, then the critic. */
  parameters(): Float32Array[] {
    return [...this.actorParameters, this.criticParameters].map((t) => this.device.read(t) as Float32Array)
  }

  sha256(): string {
    return parametersSha256(this.parameters())
  }

  #initialise(spec: NetworkSpec, headGain: number, network: number): Tensor {
    const { device } = this
    const [low, high] = splitSeed(this.config.seed)
    const values = initialParameters(spec, headGain, (tensor) => (out) => {
      const mark = device.arena.mark()
      const address = device.arena.alloc(out.byteLength)
      const { fillNormals } = device.kernels.exports
      fillNormals(address, out.length, low, high, PURPOSE.parameters, network, tensor)
      out.set(device.arena.f32(address, out.length))
      device.arena.release(mark)
    })
    const parameters = device.tensor('f32', parameterLayout(spec).size)
    device.write(parameters, values)
    return parameters
  }

  #workspaces(): [Network<GaussianActorSpec>[], Network<CriticSpec>] {
    const { device, storage } = this
    const builders = [
      ...this.actors.map((spec) => () => new Network<NetworkSpec>(device, spec, storage.rows)),
      () => new Network<NetworkSpec>(device, this.critic, storage.stateRows),
    ]
    const networks = device.overlay(builders)
    return [networks.slice(0, -1) as Network<GaussianActorSpec>[], networks.at(-1)! as Network<CriticSpec>]
  }

  // Random order of the agents, a new one every iteration.
  #turnOrder(iteration: number): number[] {
    const count = this.actors.length
    if (this.config.order === 'fixed') return Array.from({ length: count }, (_, i) => i)
    const [low, high] = splitSeed(this.config.seed)
    this.device.kernels.exports.permutation(
      this.#order.address,
      count,
      low,
      high,
      PURPOSE.order,
      0,
      iteration,
    )
    return [...this.device.i32(this.#order)]
  }

  #shuffle(network: number): Shuffle {
    const { device } = this
    let permuted: Tensor | undefined
    return (out) => {
      permuted ??= device.tensor('i32', out.length)
      const [low, high] = splitSeed(this.config.seed)
      const pass = this.shuffles[network]++
      const { permutation } = device.kernels.exports
      permutation(permuted.address, out.length, low, high, PURPOSE.shuffle, network, pass)
      out.set(device.i32(permuted))
    }
  }
}
