import type { Program } from '../devices/device.js'
import type { HostDevice } from '../devices/host.js'
import type { ProgramSpec } from '../devices/steps.js'
import type { Tensor } from '../devices/tensor.js'
import { PURPOSE } from '../kernels/index.js'
import type { PolicySpec } from '../learner/heads/head.js'
import { attachActingHead } from '../learner/heads/table.js'
import { Network } from '../nn/network.js'
import { stateWidth } from '../nn/spec.js'

/** Addresses in shared memory by which a worker lets one agent act, in up to `rows` environments at once. */
export interface PolicyAddresses {
  /** Programs for `runAlone`: draw actions, or choose the mode. */
  readonly sample: number
  readonly mode: number
  /** f32 [rows, observation], to be filled before. */
  readonly observations: number
  /** u8 [rows, choices], to be filled before; all available at first. */
  readonly available: number
  readonly choices: number
  /** i32 [rows]: environment and its step, which key the noise of `sample`. */
  readonly streams: number
  readonly steps: number
  /** f32 [rows, actionWidth], filled by both programs. */
  readonly actions: number
  readonly actionWidth: number
  /** f32 [rows], filled by `sample`. */
  readonly logProb: number
  /** f32 [rows, stateWidth]: states of a recurrent policy before its actions, and after, filled by both programs. */
  readonly states: number
  readonly next: number
  /** 0 for a feed-forward policy. */
  readonly stateWidth: number
}

/** The agents' policies as rollout workers evaluate them; every worker has its own rows. */
export class WorkerPolicies {
  /** Per worker, per agent. */
  readonly addresses: PolicyAddresses[][]
  readonly #host: HostDevice
  readonly #prepare: Program[]

  /**
   * @param specs one per agent
   * @param parameters flat vector of each agent's policy, in the host's memory
   * @param rows environments that each worker steps at once
   */
  constructor(
    host: HostDevice,
    specs: readonly PolicySpec[],
    parameters: readonly Tensor[],
    rows: readonly number[],
    seed: number,
  ) {
    this.#host = host
    this.addresses = rows.map(() => [])
    this.#prepare = specs.map((spec, agent) => {
      const key = { seed, purpose: PURPOSE.actions + agent }
      const places = rows.map((count) => policyRows(host, spec, parameters[agent], count, key))
      const counts = rows.flatMap((count) => [count, count])
      const passes = places.flatMap(({ sample, mode }) => [sample, mode])
      const { prepare, passes: compiled } = host.compilePrepared(passes, counts)
      places.forEach(({ addresses }, worker) => {
        const [sample, mode] = compiled.slice(2 * worker).map((program) => host.entryOf(program))
        this.addresses[worker].push({ ...addresses, sample, mode })
      })
      return prepare
    })
  }

  /** To be called when parameters have changed, before workers act. */
  prepare(): void {
    for (const program of this.#prepare) this.#host.run(program, 1)
  }
}

/** Memory and passes of one agent's policy for the environments of one worker. */
function policyRows(
  host: HostDevice,
  spec: PolicySpec,
  parameters: Tensor,
  rows: number,
  key: { seed: number; purpose: number },
): {
  sample: ProgramSpec
  mode: ProgramSpec
  addresses: Omit<PolicyAddresses, 'sample' | 'mode'>
} {
  const network = new Network(host, spec, rows)
  const head = attachActingHead(host, network, parameters)
  const { action, choices } = spec.head
  const { type, width: actionWidth } = action
  const observations = host.tensor('f32', rows * spec.input.size)
  const [streams, steps] = [host.tensor('i32', rows), host.tensor('i32', rows)]
  const actions = host.tensor(type, rows * actionWidth)
  const logProb = host.tensor('f32', rows)
  const memory = stateWidth(spec)
  const [states, next] = [0, 1].map(() => host.tensor('f32', rows * memory))
  const sequence = memory > 0 ? { states, starts: null, next } : undefined
  const available = host.tensor('u8', rows * choices)
  host.view(available).fill(1)
  const setup = head.setup()
  const forward = [
    ...network.forward(parameters, { raw: observations, sequence }),
    ...head.restrict(choices > 0 ? available : undefined),
  ]
  const draw = head.sample({ ...key, streams, steps }, actions, logProb)
  return {
    sample: { setup, rows: [...forward, ...draw] },
    mode: { setup, rows: [...forward, ...head.mode(actions)] },
    addresses: {
      observations: host.addressOf(observations),
      available: host.addressOf(available),
      choices,
      streams: host.addressOf(streams),
      steps: host.addressOf(steps),
      actions: host.addressOf(actions),
      actionWidth,
      logProb: host.addressOf(logProb),
      states: host.addressOf(states),
      next: host.addressOf(next),
      stateWidth: memory,
    },
  }
}
