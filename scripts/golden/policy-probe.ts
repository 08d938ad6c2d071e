import type { Device, Program } from '../../src/devices/device.js'
import type { Tensor } from '../../src/devices/tensor.js'
import { DEVIATION } from '../../src/kernels/index.js'
import type { PolicyHead } from '../../src/learner/heads/head.js'
import { attachHead } from '../../src/learner/heads/table.js'
import { parameterEntry } from '../../src/nn/layout.js'
import { Network, type NetworkInput } from '../../src/nn/network.js'
import type { ActorSpec } from './networks.js'

/** Values of a Gaussian policy at some parameters. */
export interface Policy {
  /** f32 [rows, action] */
  readonly mean: Float32Array
  /** [rows, action], the same in each row. */
  readonly std: readonly number[]
  /** [rows, action], of single dimensions of the actions. */
  readonly logProbs: readonly number[]
  readonly entropy: number
}

/** Evaluates a Gaussian policy dimension by dimension, as golden files have it; updates only need joint numbers. */
export class PolicyProbe {
  readonly #device: Device
  readonly #rows: number
  readonly #network: Network<ActorSpec>
  readonly #head: PolicyHead
  readonly #parameters: Tensor
  readonly #table: Tensor
  readonly #means: Tensor[] = []
  readonly #logProbs: Tensor[] = []
  readonly #forward: Program
  readonly #perDimension: Program

  /**
   * @param input what enters the network, on the device
   * @param actions f32 [rows, action]
   */
  constructor(device: Device, spec: ActorSpec, rows: number, input: NetworkInput, actions: Float32Array) {
    const { size, stdX, stdY } = spec.head
    this.#device = device
    this.#rows = rows
    this.#network = new Network(device, spec, rows)
    const { layout } = this.#network
    this.#parameters = device.tensor('f32', layout.size)
    this.#table = device.tensor('f64', size * DEVIATION.row)
    this.#head = attachHead(device, this.#network, this.#parameters)
    const logStd = device.slice(this.#parameters, parameterEntry(layout, 'logStd').offset, size)
    this.#forward = device.compile(
      {
        setup: [
          { op: 'gaussianTable', logStd, x: stdX, y: stdY, table: this.#table, size },
          ...this.#head.setup(),
        ],
        rows: this.#network.forward(this.#parameters, input),
      },
      rows,
    )
    const steps = Array.from({ length: size }, (_, j) => {
      const mean = device.tensor('f32', rows)
      const action = device.tensor('f32', rows)
      const logProb = device.tensor('f32', rows)
      this.#means.push(mean)
      this.#logProbs.push(logProb)
      device.write(action, column(actions, size, j))
      const table = device.slice(this.#table, j * DEVIATION.row, DEVIATION.row)
      return { op: 'gaussianLogProb', mean, action, table, size: 1, logProb } as const
    })
    this.#perDimension = device.compile({ rows: steps }, rows)
  }

  /** @param parameters f32 [layout size] */
  at(parameters: ArrayLike<number>): Policy {
    const device = this.#device
    const { size } = this.#network.spec.head
    device.write(this.#parameters, parameters)
    device.run(this.#forward, this.#rows)
    const mean = device.read(this.#network.output) as Float32Array
    this.#means.forEach((tensor, j) => device.write(tensor, column(mean, size, j)))
    device.run(this.#perDimension, this.#rows)
    const columns = this.#logProbs.map((tensor) => device.read(tensor))
    const table = device.read(this.#table)
    return {
      mean,
      std: Array.from(mean, (_, i) => table[(i % size) * DEVIATION.row + DEVIATION.sigma]),
      logProbs: Array.from(mean, (_, i) => columns[i % size][Math.floor(i / size)]),
      entropy: this.#head.meanEntropy({}),
    }
  }
}

function column(matrix: Float32Array, width: number, j: number): Float32Array {
  return Float32Array.from({ length: matrix.length / width }, (_, r) => matrix[r * width + j])
}
