import type { Device } from '../../devices/device.js'
import type { Tensor } from '../../devices/tensor.js'
import { exponential } from '../../envs/exponential.js'
import { naturalLog } from '../../envs/random.js'
import { parameterEntry, parameterLayout } from '../../nn/layout.js'
import type { Improvement, PolicyUnit, TeamMethod } from '../method.js'
import type { TurnOutcome } from '../schedules.js'
import type { PolicyGroup } from '../specs.js'
import { evaluatePolicies } from './evaluate.js'
import type { MarkovGame, TabularPolicy } from './game.js'
import { improveInTurn, penalised, type AgentStep } from './iteration.js'
import { soften } from './soften.js'

/** eta of the eta-soft policies: least probability of every action. */
export const FLOOR = 0.01

interface TabularMembers {
  readonly device: Device
  readonly game: MarkovGame
  /** One per agent: policies whose logits are linear in a one-hot number of the state. */
  readonly policies: readonly (PolicyUnit & Pick<PolicyGroup, 'spec'>)[]
  /** Order of the updates in an iteration, counted from 1. */
  readonly order: (iteration: number) => number[]
}

/**
 * Algorithm 1 of Kuba et al. 2022 on the tables of a game. It learns nothing from rollouts; policies are tables in the form of
 * networks, so that they act, are saved and are exported like any other. A table is read from the f32 parameters in every
 * iteration: the return falls by no more than their rounding.
 */
export class TabularMethod implements TeamMethod {
  readonly device: Device
  readonly policies: TabularMembers['policies']
  readonly critics = []
  readonly shuffles: number[] = []
  readonly #game: MarkovGame
  readonly #order: TabularMembers['order']

  constructor({ device, game, policies, order }: TabularMembers) {
    this.device = device
    this.policies = policies
    this.#game = game
    this.#order = order
  }

  improve(iteration: number): Improvement {
    const old = this.policies.map((_, agent) => this.#readPolicy(agent))
    const evaluation = evaluatePolicies(this.#game, old)
    const rule = penalised(this.#game, evaluation)
    const { steps } = improveInTurn(this.#game, old, this.#order(iteration), FLOOR, evaluation, rule)
    const turns = steps.map((step) => {
      this.#writePolicy(step.agent, step.policy)
      return outcome(step, evaluation.visits)
    })
    return { turns, critics: [] }
  }

  parameters(): Float32Array[] {
    return this.policies.map(({ parameters }) => this.read(parameters.tensor))
  }

  actingParameters(agent: number): Tensor {
    return this.policies[agent].parameters.host
  }

  read(tensor: Tensor): Float32Array {
    return this.device.read(tensor) as Float32Array
  }

  /** pi(a | s) of the softmax, every entry at least the floor; uniform in states that no observation shows. */
  #readPolicy(agent: number): TabularPolicy {
    const { actions, states } = this.#game
    const width = actions[agent]
    const { values, weight, bias, inputs } = this.#places(agent)
    const out = new Float64Array(states * width).fill(1 / width)
    for (let s = 0; s < Math.min(states, inputs); s++) {
      const row = out.subarray(s * width, (s + 1) * width)
      for (let a = 0; a < width; a++) row[a] = values[weight + a * inputs + s] + values[bias + a]
      const largest = row.reduce((max, logit) => Math.max(max, logit), -Infinity)
      for (let a = 0; a < width; a++) row[a] = exponential(row[a] - largest)
      soften(row, FLOOR)
    }
    return out
  }

  #writePolicy(agent: number, policy: TabularPolicy): void {
    const { actions, states } = this.#game
    const width = actions[agent]
    const { values, weight, bias, inputs } = this.#places(agent)
    values.fill(0, bias, bias + width)
    for (let s = 0; s < Math.min(states, inputs); s++) {
      for (let a = 0; a < width; a++) values[weight + a * inputs + s] = naturalLog(policy[s * width + a])
    }
    const { parameters } = this.policies[agent]
    this.device.write(parameters.tensor, values)
    parameters.download()
  }

  /** A copy of an agent's parameters, and where its linear layer is in them. */
  #places(agent: number) {
    const { parameters, spec } = this.policies[agent]
    const layout = parameterLayout(spec)
    return {
      values: this.read(parameters.tensor).slice(),
      weight: parameterEntry(layout, 'head.weight').offset,
      bias: parameterEntry(layout, 'head.bias').offset,
      inputs: spec.input.size,
    }
  }
}

/** Record of a step; its KL is the largest over the states, its entropy the mean over the discounted visits. */
function outcome({ agent, policy, gain, kl }: AgentStep, visits: Float64Array): TurnOutcome {
  const width = policy.length / visits.length
  let [entropy, total] = [0, 0]
  for (let i = 0; i < policy.length; i++)
    entropy -= visits[Math.floor(i / width)] * policy[i] * naturalLog(policy[i])
  for (const visit of visits) total += visit
  return {
    agents: [agent],
    entropy: entropy / total,
    klUsed: kl,
    predictedGain: gain,
    accepted: true,
    rejectedSteps: 0,
    rejection: null,
  }
}
