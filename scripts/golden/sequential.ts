import { z } from 'zod'
import type { PolicyUpdate } from '../../src/algorithms/agent-update.js'
import { ClippedUpdate } from '../../src/algorithms/clipped.js'
import { CriticUpdate } from '../../src/algorithms/critic.js'
import { SequentialSchedule } from '../../src/algorithms/schedules.js'
import { TrustRegionUpdate } from '../../src/algorithms/trust-region.js'
import type { Device } from '../../src/devices/device.js'
import { HatrpoError } from '../../src/errors.js'
import { Adam } from '../../src/learner/adam.js'
import { actorCase, actorSamples, filled, type ActorCase } from './actor-batch.js'
import type { Computed, Values } from './compare.js'
import { criticCase } from './critic.js'
import type { Derive } from './derivatives.js'
import { float32, goldenArray, goldenParameter, readAs, type Fixture } from './fixture.js'
import { estimateReturns, gaeKeys, rolloutInputs } from './gae.js'
import { clippedKeys, criticKeys, trustRegionKeys } from './keys.js'
import { actorKeys } from './networks.js'
import { PolicyProbe } from './policy-probe.js'
import { describeStep } from './trust-region.js'
import { clippedOptions, criticOptions, KL_NOTE, trustRegionOptions } from './updates.js'

const inputs = z.object({
  ...rolloutInputs,
  order: z.array(z.int().nonnegative()),
  agents: z.array(z.object(actorSamples)).min(1),
  critic_params: goldenArray,
  share_obs: goldenArray,
})

const commonKeys = { ...actorKeys, ...gaeKeys, ...criticKeys }
function schemaWith<Keys extends z.ZodRawShape>(updateKeys: Keys) {
  return z.object({
    header: z.object({
      params: z.array(z.array(goldenParameter)),
      critic_params: z.array(goldenParameter),
      hyper_parameters: z.object({ ...commonKeys, ...updateKeys }),
    }),
    inputs,
  })
}
const trustRegionSchema = schemaWith(trustRegionKeys)
const clippedSchema = schemaWith(clippedKeys)

/** An agent's update and, after its turn, what golden files hold of it beyond its policy. */
interface GoldenAgent {
  readonly update: PolicyUpdate
  describe(values: Values, prefix: string): void
}

type Case = {
  header: { params: z.infer<typeof goldenParameter>[][]; critic_params: z.infer<typeof goldenParameter>[] }
  inputs: z.infer<typeof inputs>
}
type CommonKeys = z.infer<z.ZodObject<typeof commonKeys>> & { use_policy_active_masks: boolean }

/** Mini-batches are not part of these files: nothing is ever shuffled. */
const noShuffle = () => {
  throw new HatrpoError('rows shuffled in a comparison without mini-batches')
}

/** One whole iteration of HATRPO: returns, the agents' turns, the critic. */
export function checkSequentialTrustRegion(fixture: Fixture, device: Device, derive: Derive): Computed {
  const given = readAs(fixture, trustRegionSchema)
  const keys = given.header.hyper_parameters
  const { kl_threshold: delta } = keys
  const actors = actorsOf(device, given, keys, derive)
  return checkIteration(device, given, keys, { actors, klBudget: delta }, ({ policy, batch }, agent) => {
    const rule = { ...trustRegionOptions(keys), delta, miniBatches: 1 }
    const update = new TrustRegionUpdate(policy, [agent], batch, rule, noShuffle)
    return {
      update,
      describe(values, prefix) {
        describeStep(values, prefix, update.results[0])
        values.set(`${prefix}loss_grad`, device.read(update.step.gradient))
      },
    }
  })
}

/** One whole iteration of HAPPO. */
export function checkSequentialClipped(fixture: Fixture, device: Device): Computed {
  const given = readAs(fixture, clippedSchema)
  const keys = given.header.hyper_parameters
  const actors = actorsOf(device, given, keys)
  return checkIteration(device, given, keys, { actors, klBudget: null }, ({ policy, batch }, agent) => {
    const rule = {
      ...clippedOptions(keys),
      lr: keys.lr,
      lrDecay: false,
      epochs: keys.ppo_epoch,
      miniBatches: 1,
    }
    const adam = new Adam(device, policy.parameters, keys.opti_eps)
    const update = new ClippedUpdate(policy, [agent], batch, adam, rule, noShuffle)
    return {
      update,
      describe(values, prefix) {
        const { results } = update
        const mean = (numbers: number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length
        values.set(`${prefix}policy_loss`, -mean(results.map(({ surrogate }) => surrogate)))
        values.set(`${prefix}dist_entropy`, mean(results.map(({ entropy }) => entropy)))
        values.set(`${prefix}grad_norm`, mean(results.map(({ gradNorm }) => gradNorm)))
      },
    }
  })
}

/** Every agent's actor and samples. */
function actorsOf(device: Device, { header, inputs }: Case, keys: CommonKeys, derive?: Derive): ActorCase[] {
  return inputs.agents.map((samples, i) => actorCase(device, keys, header.params[i] ?? [], samples, derive))
}

/** Returns, then each agent in turn with the factor passed on, then the critic, all with HARL's switches. */
function checkIteration(
  device: Device,
  given: Case,
  keys: CommonKeys,
  { actors, klBudget }: { actors: readonly ActorCase[]; klBudget: number | null },
  agentOf: (actor: ActorCase, agent: number) => GoldenAgent,
): Computed {
  const { agents, order, ...rollout } = given.inputs
  const endToEnd: Values = new Map([['agents.length', agents.length]])

  const { returns, advantages } = estimateReturns(device, keys, rollout, 'harl')
  const rows = returns.length
  endToEnd.set('returns', returns)
  endToEnd.set('advantages', advantages)

  const golden = actors.map(agentOf)
  const updates = golden.map(({ update }) =>
    keys.use_policy_active_masks ? update : countingAllRows(device, update),
  )
  checkOrder(order, agents.length)
  const common = filled(device, advantages)
  const ones = new Float32Array(rows).fill(1)
  const schedule = new SequentialSchedule({
    device,
    updates,
    advantages: updates.map(() => common),
    valid: filled(device, ones),
    advantageNorm: 'agent',
    budget: () => klBudget,
    factorRows: 'all',
  })
  let factor: ArrayLike<number> = ones
  schedule.run(order, 0, ({ agents: [agent] }) => {
    const { batch, policy, spec } = actors[agent]
    const set = (name: string, value: ArrayLike<number>) => endToEnd.set(`agents.${agent}.${name}`, value)
    set('factor_before', factor)
    const weighted = device.read(batch.factor)
    const before = factor
    set(
      'normalised_advantages',
      weighted.map((m, r) => m / before[r]),
    )
    factor = device.read(schedule.product)
    set('factor_after', factor)
    golden[agent].describe(endToEnd, `agents.${agent}.`)
    const final = device.read(policy.parameters)
    set('final_params', final)
    const actions = float32('actions', agents[agent].actions, rows, spec.head.size)
    set('new_log_probs', new PolicyProbe(device, spec, rows, batch.input, actions).at(final).logProbs)
  })

  describeCritic(device, endToEnd, given, keys, returns)
  const notes = [
    "returns: truncated steps have advantage 0, as HARL does (truncation: 'harl')",
    "advantages standardised over each agent's own active rows, as HARL does (advantageNorm: 'agent')",
  ]
  if (actors.some(({ someInactive }) => someInactive)) {
    notes.push("factor updated on all rows, inactive ones too, as HARL does (factorRows: 'all')")
    if (klBudget !== null) notes.push(KL_NOTE)
  }
  return { endToEnd, notes }
}

/** The update with every row in its loss; which rows are active still decides how advantages are standardised. */
function countingAllRows(device: Device, update: PolicyUpdate): PolicyUpdate {
  const { agents, batch } = update
  return {
    agents,
    batch,
    propose(progress) {
      device.fill(batch.weight, 1)
      return update.propose(progress)
    },
    commit: (klBudget) => update.commit(klBudget),
  }
}

function checkOrder(order: readonly number[], agents: number): void {
  const sorted = order.toSorted((a, b) => a - b)
  if (sorted.length !== agents || sorted.some((agent, i) => agent !== i)) {
    throw new HatrpoError(`inputs.order: [${order.join()}], must name each of ${agents} agents once`)
  }
}

function describeCritic(
  device: Device,
  values: Values,
  { header, inputs }: Case,
  keys: CommonKeys,
  returns: Float32Array,
): void {
  const rows = returns.length
  const flat = (array: { shape: number[]; data: number[] }) => ({
    shape: [rows, array.data.length / rows],
    data: array.data,
  })
  const { critic, batch } = criticCase(device, keys, header.critic_params, {
    params: inputs.critic_params,
    valuenorm_state: inputs.valuenorm_state,
    obs: flat(inputs.share_obs),
    value_preds: flat(inputs.value_preds),
    returns: { shape: [rows, 1], data: Array.from(returns) },
  })
  const rule = {
    ...criticOptions(keys),
    lr: keys.critic_lr,
    lrDecay: false,
    epochs: keys.critic_epoch,
    miniBatches: 1,
  }
  const update = new CriticUpdate(critic, batch, rule, noShuffle)
  values.set('critic.mean_value_loss', update.update(0).loss)
  values.set('critic.final_params', device.read(critic.parameters))
  if (critic.valueNorm) values.set('critic.valuenorm_state', critic.valueNorm.save())
}
