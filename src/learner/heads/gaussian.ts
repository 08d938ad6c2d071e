import type { Device } from '../../devices/device.js'
import type { RowStep, SetupStep } from '../../devices/steps.js'
import type { Tensor } from '../../devices/tensor.js'
import { exponential } from '../../envs/exponential.js'
import { DEVIATION } from '../../kernels/index.js'
import { parameterEntry } from '../../nn/layout.js'
import type { Network } from '../../nn/network.js'
import type { NetworkSpec } from '../../nn/spec.js'
import {
  HEAD_SUMS,
  type ActionSamples,
  type Breadth,
  type ExportedHead,
  type NoiseKey,
  type PolicyHead,
  type PolicyHeadSpec,
} from './head.js'

/** Diagonal Gaussian: mean from the network, sigma = y sigmoid(log_std / x), independent of the state. */
export interface GaussianHeadSpec extends PolicyHeadSpec {
  readonly kind: 'gaussian'
  readonly stdX: number
  readonly stdY: number
}

/** Options of the head in a run's configuration. */
export interface GaussianOptions {
  readonly stdX: number
  readonly stdY: number
}

/** Head of `size` action dimensions; log_std starts at x. */
export function gaussianHead(size: number, { stdX, stdY }: GaussianOptions): GaussianHeadSpec {
  const vectors = [{ name: 'logStd', size, initial: stdX }]
  return { kind: 'gaussian', size, vectors, action: { type: 'f32', width: size }, choices: 0, stdX, stdY }
}

/** Description of the head for the template of exported policies. */
export function exportGaussian({ size, stdX, stdY }: GaussianHeadSpec): ExportedHead {
  const vector = { parameter: 'logStd' }
  return { template: 'policy', actionSize: size, inFront: 0, vector, constants: [stdX, stdY] }
}

/** 1/2 log(2 pi) */
const HALF_LOG_TWO_PI = 0.9189385332046727
/** Entropy of a normal distribution of standard deviation 1, nats. */
const UNIT_ENTROPY = 0.5 + HALF_LOG_TWO_PI

/** Geometric mean of the standard deviations of normal actions with this mean entropy. */
export function gaussianBreadth({ action }: PolicyHeadSpec, entropy: number): Breadth {
  return { std: exponential(entropy / action.width - UNIT_ENTROPY) }
}

export class GaussianPolicy implements PolicyHead {
  readonly #device: Device
  readonly #network: Network<NetworkSpec<GaussianHeadSpec>>
  readonly #parameters: Tensor
  readonly #offset: number
  /** f64 [size, 4] */
  readonly #table: Tensor
  /** Of the old distribution: f32 [rows, size] and f64 [size, 4]; made when it is first kept or read. */
  #old: { readonly mean: Tensor; readonly table: Tensor } | undefined

  constructor(device: Device, network: Network<NetworkSpec<GaussianHeadSpec>>, parameters: Tensor) {
    this.#device = device
    this.#network = network
    this.#parameters = parameters
    this.#offset = parameterEntry(network.layout, 'logStd').offset
    this.#table = device.tensor('f64', this.#size * DEVIATION.row)
  }

  setup(): SetupStep[] {
    const { stdX: x, stdY: y } = this.#network.spec.head
    const logStd = this.#logStd(this.#parameters)
    return [{ op: 'gaussianTable', logStd, x, y, table: this.#table, size: this.#size }]
  }

  restrict(): RowStep[] {
    return []
  }

  logProb(action: Tensor, logProb: Tensor): RowStep[] {
    return [{ op: 'gaussianLogProb', ...this.#current(), action, logProb }]
  }

  sample(noise: NoiseKey, action: Tensor, logProb: Tensor): RowStep[] {
    return [{ op: 'gaussianSample', ...this.#current(), ...noise, action, logProb }]
  }

  mode(actions: Tensor): RowStep[] {
    return [{ op: 'copy', x: this.#network.output, out: actions, width: this.#size }]
  }

  surrogate(samples: ActionSamples, clip: number | null, derive: boolean): RowStep[] {
    const { actions: action, logProb: oldLogProb, factor, weight, newLogProb: logProb } = samples
    const gradient = derive ? { mean: this.#network.outputAdjoint, logStd: this.#offset } : null
    const sums = HEAD_SUMS.surrogate
    const batch = { action, oldLogProb, factor, weight, logProb }
    return [{ op: 'gaussianSurrogate', ...this.#current(), ...batch, clip, gradient, sums }]
  }

  kl(weight: Tensor): RowStep[] {
    const { mean: oldMean, table: oldTable } = this.#kept()
    return [{ op: 'gaussianKl', ...this.#current(), oldMean, oldTable, weight, sums: HEAD_SUMS.kl }]
  }

  fisher(direction: Tensor, weight: Tensor): RowStep[] {
    const { outputTangent: dmean, outputAdjoint: gmean } = this.#network
    const { table } = this.#kept()
    const dlogStd = this.#logStd(direction)
    const { size } = this.#network.spec.head
    return [{ op: 'gaussianFisher', dmean, dlogStd, table, size, weight, gmean, logStd: this.#offset }]
  }

  fisherRoot(column: number, weight: Tensor): RowStep[] {
    const { outputAdjoint: gmean } = this.#network
    const { table } = this.#kept()
    return [{ op: 'gaussianFisherRoot', table, size: this.#size, column, weight, gmean }]
  }

  /** 2 (d log sigma / d log_std)^2 */
  vectorFisher(): number[] {
    const table = this.#device.read(this.#kept().table)
    return Array.from({ length: this.#size }, (_, j) => {
      const slope = table[DEVIATION.row * j + DEVIATION.slope]
      return 2 * slope * slope
    })
  }

  keep(rows: number): void {
    const { mean, table } = this.#kept()
    const length = rows * this.#size
    this.#device.copy(
      this.#device.slice(this.#network.output, 0, length),
      this.#device.slice(mean, 0, length),
    )
    this.#device.copy(this.#table, table)
  }

  entropy(): RowStep[] {
    return []
  }

  /** Sum over dimensions of 1/2 + log sqrt(2 pi) + log sigma, which is the same in every row. */
  meanEntropy(): number {
    const table = this.#device.read(this.#table)
    let sum = 0
    for (let j = 0; j < this.#size; j++) sum += UNIT_ENTROPY + table[DEVIATION.row * j + DEVIATION.logSigma]
    return sum
  }

  /** d entropy / d log_std = d log sigma / d log_std. */
  addEntropyGradient(gradient: Tensor, coefficient: number): void {
    const part = this.#logStd(gradient)
    const values = this.#device.read(part)
    const table = this.#device.read(this.#table)
    for (let j = 0; j < this.#size; j++) values[j] += coefficient * table[DEVIATION.row * j + DEVIATION.slope]
    this.#device.write(part, values)
  }

  get #size(): number {
    return this.#network.spec.head.size
  }

  #current() {
    return { mean: this.#network.output, table: this.#table, size: this.#size }
  }

  #kept() {
    this.#old ??= {
      mean: this.#device.tensor('f32', this.#network.rows * this.#size),
      table: this.#device.tensor('f64', this.#size * DEVIATION.row),
    }
    return this.#old
  }

  #logStd(vector: Tensor): Tensor {
    return this.#device.slice(vector, this.#offset, this.#size)
  }
}
