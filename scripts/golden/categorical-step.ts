import { z } from 'zod'
import type { Device, Program } from '../../src/devices/device.js'
import type { Tensor } from '../../src/devices/tensor.js'
import { forwardPolicy } from '../../src/learner/policy.js'
import { actorInputs, filled, placeActor, weigh, type ActorCase } from './actor-batch.js'
import type { Computed } from './compare.js'
import type { Derive } from './derivatives.js'
import { goldenArray, goldenParameter, readAs, type Fixture } from './fixture.js'
import { trustRegionKeys } from './keys.js'
import { bodyKeys, choosingSpec, type ChoosingSpec } from './networks.js'
import { checkStep, type LogProbProbe } from './trust-region.js'

const schema = z.object({
  header: z.object({
    params: z.array(goldenParameter),
    hyper_parameters: z.object({ ...bodyKeys, ...trustRegionKeys }),
  }),
  inputs: z.object({ ...actorInputs, v: goldenArray, available_actions: goldenArray }),
})

/** One trust-region step of a categorical actor with unavailable actions. */
export function checkCategoricalTrustRegion(fixture: Fixture, device: Device, derive: Derive): Computed {
  const { header, inputs } = readAs(fixture, schema)
  const { hyper_parameters: keys, params } = header
  const { available_actions: available, obs } = inputs
  const spec = choosingSpec(keys, obs.shape[1] ?? 0, available.shape[1] ?? 0, params)
  const actor = placeActor(device, spec, inputs, derive, { available })
  weigh(device, actor, keys, inputs)
  const probe = new ChoiceProbe(device, actor)
  const { logProbs, logSoftmax, entropy } = probe.at(device.read(actor.policy.parameters))
  const computed = checkStep(fixture, device, keys, actor, inputs.v, probe)
  computed.endToEnd.set('log_probs', logProbs)
  computed.endToEnd.set('log_softmax', logSoftmax)
  computed.endToEnd.set('entropy_active_rows', entropy)
  return computed
}

/** Evaluates a categorical policy, also at the actions that were not taken. */
class ChoiceProbe implements LogProbProbe {
  readonly #device: Device
  readonly #actor: ActorCase<ChoosingSpec>
  readonly #parameters: Tensor
  readonly #logProb: Tensor
  /** Of each choice, [rows]. */
  readonly #each: readonly Tensor[]
  readonly #program: Program

  constructor(device: Device, actor: ActorCase<ChoosingSpec>) {
    const { policy, batch, rows, spec } = actor
    const { head } = policy
    const column = (value: number) => filled(device, new Float32Array(rows).fill(value))
    this.#device = device
    this.#actor = actor
    this.#parameters = policy.parameters
    this.#logProb = column(0)
    this.#each = Array.from({ length: spec.head.choices }, () => column(0))
    const steps = [
      ...forwardPolicy(policy, batch.input),
      ...head.logProb(batch.actions, this.#logProb),
      ...this.#each.flatMap((out, k) => head.logProb(column(k), out)),
      ...head.entropy(batch.weight, null),
    ]
    this.#program = device.compile({ setup: head.setup(), rows: steps }, rows)
  }

  /** Log-softmax is 0 where an action is unavailable, as in golden files. */
  at(parameters: ArrayLike<number>) {
    const { policy, rows } = this.#actor
    const kept = this.#device.read(this.#parameters)
    this.#device.write(this.#parameters, parameters)
    policy.workspace.claim(null)
    const sums = this.#device.run(this.#program, rows)
    this.#device.write(this.#parameters, kept)
    const each = this.#each.map((tensor) => this.#device.read(tensor))
    const logSoftmax = Array.from({ length: rows }, (_, r) =>
      each.map((values) => (values[r] === -Infinity ? 0 : values[r])),
    )
    return {
      logProbs: this.#device.read(this.#logProb),
      logSoftmax: logSoftmax.flat(),
      entropy: policy.head.meanEntropy(sums),
    }
  }
}
