import type { Program } from '../devices/device.js'
import type { ProgramSpec } from '../devices/steps.js'
import { slice, type Tensor } from '../devices/tensor.js'
import type { WasmDevice } from '../devices/wasm/device.js'
import { PURPOSE } from '../kernels/index.js'
import { Network } from '../learner/network.js'
import { parameterEntry, parameterLayout } from '../nn/layout.js'
import type { GaussianActorSpec } from '../nn/spec.js'

/** What a worker needs to let one agent act: addresses in shared memory, for up to `rows` environments at once. */
export interface PolicyAddresses {
  /** Programs for `runAlone`: draw actions, or take the mean. */
  readonly sample: number
  readonly mean: number
  /** f32 [rows, observation], to be filled before. */
  readonly observations: number
  /** i32 [rows]: environment and its step, which key the noise of `sample`. */
  readonly streams: number
  readonly steps: number
  /** f32 [rows, action] and f32 [rows], filled by `sample`. */
  readonly actions: number
  readonly logProb: number
  /** f32 [rows, action], filled by both. */
  readonly means: number
}

/** The agents' policies as rollout workers evaluate them; every worker has its own rows. */
export class WorkerPolicies {
  /** Per worker, per agent. */
  readonly addresses: PolicyAddresses[][]
  readonly #device: WasmDevice
  readonly #prepare: Program[]

  /**
   * @param parameters one flat vector per agent
   * @param rows environments that each worker steps at once
   */
  constructor(
    device: WasmDevice,
    specs: readonly GaussianActorSpec[],
    parameters: readonly Tensor[],
    rows: readonly number[],
    seed: number,
  ) {
    this.#device = device
    this.addresses = rows.map(() => [])
    this.#prepare = specs.map((spec, agent) => {
      const { size, stdX, stdY } = spec.head
      const vector = parameters[agent]
      const table = device.tensor('f64', size * 4)
      const logStd = slice(vector, parameterEntry(parameterLayout(spec), 'logStd').offset, size)
      const setup = [{ op: 'gaussianTable', logStd, x: stdX, y: stdY, table, size } as const]
      const passes: ProgramSpec[] = []
      const places = rows.map((count) => {
        const network = new Network(device, spec, count)
        const place = {
          observations: device.tensor('f32', count * spec.input.size),
          streams: device.tensor('i32', count),
          steps: device.tensor('i32', count),
          actions: device.tensor('f32', count * size),
          logProb: device.tensor('f32', count),
          means: network.output,
        }
        const { streams, steps, logProb } = place
        const forward = network.forward(vector, place.observations)
        const draw = { mean: network.output, table, size, seed, purpose: PURPOSE.actions + agent } as const
        const sample = {
          op: 'gaussianSample',
          ...draw,
          streams,
          steps,
          action: place.actions,
          logProb,
        } as const
        passes.push({ setup, rows: [...forward, sample] }, { rows: forward })
        return place
      })
      const { prepare, passes: compiled } = device.compilePrepared(
        passes,
        rows.flatMap((count) => [count, count]),
      )
      places.forEach((place, worker) => {
        this.addresses[worker].push({
          sample: device.addressOf(compiled[2 * worker]),
          mean: device.addressOf(compiled[2 * worker + 1]),
          observations: place.observations.address,
          streams: place.streams.address,
          steps: place.steps.address,
          actions: place.actions.address,
          logProb: place.logProb.address,
          means: place.means.address,
        })
      })
      return prepare
    })
  }

  /** To be called when parameters have changed, before workers act. */
  prepare(): void {
    for (const program of this.#prepare) this.#device.run(program, 1)
  }
}
