import type { Device } from '../../devices/device.js'
import type { HostDevice } from '../../devices/host.js'
import { Adam } from '../../learner/adam.js'
import { DeterministicStep, type DeterministicActor } from '../../learner/deterministic-step.js'
import { DeterministicPolicy, type DeterministicHeadSpec } from '../../learner/heads/deterministic.js'
import { QStep } from '../../learner/q-critic.js'
import { Network } from '../../nn/network.js'
import type { NetworkSpec } from '../../nn/spec.js'
import type { RolloutStorage } from '../../rollout/index.js'
import { VALUE_HEAD_GAIN, type MethodOptions, type MethodPlan } from '../assemble.js'
import { networkParameters, type NetworkParameters } from '../initial.js'
import { ReplayBatch } from './batch.js'
import { BlockLayout } from './block.js'
import { OffPolicyMethod } from './method.js'
import { Replay } from './replay.js'
import { TargetCopy, Targets } from './targets.js'

/**
 * Makes the method that a plan describes, over a rollout's storage.
 * @param host device of the rollout's memory
 * @param device where the method learns; may be the host
 * @param iterations greatest number of rollouts: memory is taken for no more
 */
export function assembleOffPolicy(
  plan: MethodPlan,
  options: MethodOptions,
  host: HostDevice,
  device: Device,
  storage: RolloutStorage,
  iterations: number,
): OffPolicyMethod {
  const { env, groups, critics: criticPlans, criticLayout } = plan
  const { offPolicy: rule, seed, gamma } = options
  const { batchSize, nStep, bufferSize } = rule
  const slots = Math.min(iterations, Math.max(1, Math.floor(bufferSize / storage.rows)))
  const block = new BlockLayout(env, storage, criticLayout.input)
  const drawing = { seed, gamma, nStep, batchSize, limitsEnd: options.truncation === 'terminate' }
  const replay = new Replay(device, host, block, storage.layout, slots, drawing)
  const batch = new ReplayBatch(device, env, block, replay, batchSize)

  // Policies learn one after another, so their activations share memory; critics have one description and one network.
  const networks = device.overlay(
    groups.map(({ spec }) => () => {
      return new Network(device, spec as NetworkSpec<DeterministicHeadSpec>, batchSize)
    }),
  )
  const q = new Network(device, criticPlans[0].spec, batchSize)
  const actors = groups.map(({ name, agents, spec }, i): Actor => {
    const made = makeUnit(host, device, options, { name, agents, spec, number: i }, options.actor.headGain)
    const network = networks[i]
    const { parameters, adam } = made
    const head = new DeterministicPolicy(device, network)
    return { ...made, actor: { device, network, head, parameters: parameters.tensor, adam } }
  })
  const critics = criticPlans.map(({ agents, spec }, j) => {
    const named = { name: `critic_${j}`, agents, spec, number: groups.length + j }
    return makeUnit(host, device, options, named, VALUE_HEAD_GAIN)
  })
  const learning = { ...rule, criticLr: options.critic.lr }
  const memory = { device, rule: learning, steps: storage.layout.steps, block, replay, batch }
  return new OffPolicyMethod({ ...memory, ...makeSteps(device, batch, actors, critics, q) })
}

/** A network's parameters with what learns and what follows them. */
interface Made {
  readonly name: string
  readonly agents: readonly number[]
  readonly parameters: NetworkParameters
  readonly adam: Adam
  readonly target: TargetCopy
}

type Actor = Made & { readonly actor: DeterministicActor }

/** @param number of the network in its method */
function makeUnit(
  host: HostDevice,
  device: Device,
  { seed, adamEps }: MethodOptions,
  {
    name,
    agents,
    spec,
    number,
  }: Pick<Made, 'name' | 'agents'> & { readonly spec: NetworkSpec; readonly number: number },
  gain: number,
): Made {
  const parameters = networkParameters(host, device, spec, gain, seed, number)
  const adam = new Adam(device, parameters.tensor, adamEps)
  return { name, agents, parameters, adam, target: new TargetCopy(device, parameters.tensor) }
}

/** Parts of one update step. @param q network of the critics, whose activations all of them share */
function makeSteps(
  device: Device,
  batch: ReplayBatch,
  actors: readonly Actor[],
  critics: readonly Made[],
  q: Network,
) {
  const targets = new Targets(
    device,
    batch,
    actors.map(({ actor }) => actor),
    q,
    { actors: actors.map(({ target }) => target), critics: critics.map(({ target }) => target) },
    critics.map(({ agents }) => agents[0]),
  )
  const { joint, columns, observations, taking, valid } = batch
  const [proposal, slope] = [0, 1].map(() => device.tensor('f32', joint.length))
  return {
    targets,
    policies: actors.map(({ actor, ...made }, i) => {
      const { before, after } = columns[i]
      const rows = { observations: { raw: observations[i] }, joint, proposal, slope, before, after }
      const own = critics.find(({ agents }) => agents.includes(i))!
      const climbed = { network: q, parameters: own.parameters.tensor }
      const step = new DeterministicStep(actor, climbed, { ...rows, weight: taking[i].weight })
      return { ...made, step, carried: null }
    }),
    critics: critics.map((made, j) => {
      const critic = { device, network: q, parameters: made.parameters.tensor, adam: made.adam }
      const step = new QStep(critic, { joint, targets: targets.values[j], weight: valid.weight })
      return { ...made, step, valueNorm: null }
    }),
  }
}
