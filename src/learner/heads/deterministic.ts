import type { Device } from '../../devices/device.js'
import type { RowStep, SetupStep } from '../../devices/steps.js'
import type { Operand, Tensor } from '../../devices/tensor.js'
import type { Box } from '../../envs/contract.js'
import { usageError } from '../../errors.js'
import type { Network } from '../../nn/network.js'
import type { NetworkSpec } from '../../nn/spec.js'
import type { ActingHead, ExportedHead, NoiseKey, PolicyHeadSpec } from './head.js'

/** Exploration of deterministic policies in training. */
export interface ExplorationOptions {
  /** Standard deviation of the noise, in halves of the action's range. */
  readonly noise: number
  /** Steps of each environment, from the first on, whose actions are uniform. */
  readonly warmup: number
}

/** Deterministic policy in a box: action = offset + scale tanh(output), which covers the box. */
export interface DeterministicHeadSpec extends PolicyHeadSpec, ExplorationOptions {
  readonly kind: 'deterministic'
  /** Bounds of the action, f32. */
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/**
 * Head for a box of actions.
 * @param owner the agent and its environment, for the error
 * @throws HatrpoError (exit code 2) for a box without bounds
 */
export function deterministicHead(
  { size, low, high }: Box,
  { noise, warmup }: ExplorationOptions,
  owner: string,
): DeterministicHeadSpec {
  const bounds = [low, high].map((values) => Array.from(values, Math.fround))
  for (const [name, values] of [
    ['low', bounds[0]],
    ['high', bounds[1]],
  ] as const) {
    const at = values.findIndex((value) => !Number.isFinite(value))
    if (at >= 0)
      throw usageError(
        `${owner} has an action whose ${name}[${at}] is ${values[at]}: a deterministic policy needs finite bounds`,
      )
  }
  const action = { type: 'f32', width: size } as const
  return {
    kind: 'deterministic',
    size,
    vectors: [],
    action,
    choices: 0,
    low: bounds[0],
    high: bounds[1],
    noise,
    warmup,
  }
}

/** Half the range of each action, and the middle of the range. */
export function squashing({ low, high }: DeterministicHeadSpec): { scale: number[]; offset: number[] } {
  return {
    scale: high.map((most, j) => Math.fround((most - low[j]) / 2)),
    offset: high.map((most, j) => Math.fround((most + low[j]) / 2)),
  }
}

/** Description of the head for the template of exported policies. */
export function exportDeterministic(spec: DeterministicHeadSpec): ExportedHead {
  const { scale, offset } = squashing(spec)
  const padded = (values: readonly number[]) => [...values, ...new Array<number>(-values.length & 3).fill(0)]
  return {
    template: 'policy-bounded',
    actionSize: spec.size,
    inFront: 0,
    vector: { numbers: [...padded(scale), ...padded(offset)] },
    constants: [],
  }
}

export class DeterministicPolicy implements ActingHead {
  readonly #network: Network<NetworkSpec<DeterministicHeadSpec>>
  readonly #vectors: Readonly<Record<'low' | 'high' | 'scale' | 'offset', Tensor>>

  constructor(device: Device, network: Network<NetworkSpec<DeterministicHeadSpec>>) {
    const { head } = network.spec
    const constant = (values: readonly number[]) => {
      const tensor = device.tensor('f32', values.length)
      device.write(tensor, values)
      return tensor
    }
    const { scale, offset } = squashing(head)
    this.#network = network
    this.#vectors = {
      low: constant(head.low),
      high: constant(head.high),
      scale: constant(scale),
      offset: constant(offset),
    }
  }

  setup(): SetupStep[] {
    return []
  }

  /** Every action in the box is available. */
  restrict(): RowStep[] {
    return []
  }

  /** @param derivative where d action / d output is wanted */
  actions(out: Operand, derivative: Operand | null): RowStep[] {
    const { output, spec } = this.#network
    const { scale, offset } = this.#vectors
    return [{ op: 'squash', z: output, scale, offset, size: spec.head.size, action: out, derivative }]
  }

  /** The policy has no density: log-probabilities remain unchanged. */
  sample(noise: NoiseKey, actions: Tensor): RowStep[] {
    const { size, noise: deviation, warmup } = this.#network.spec.head
    const { low, high } = this.#vectors
    const drawn = { mode: actions, low, high, size, noise: deviation, warmup, ...noise, action: actions }
    return [...this.actions(actions, null), { op: 'explore', ...drawn }]
  }

  mode(actions: Tensor): RowStep[] {
    return this.actions(actions, null)
  }
}
