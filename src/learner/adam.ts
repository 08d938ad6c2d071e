import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'

const BETA1 = 0.9
const BETA2 = 0.999

/** State of Adam between steps, for checkpoints. */
export interface AdamState {
  readonly m: Float32Array
  readonly v: Float32Array
  /** Running products beta1^t and beta2^t. */
  readonly powers: readonly [number, number]
}

/** Factor that limits a gradient of norm `norm` to norm `maxNorm` (torch's clip_grad_norm_); null: no limit. */
export function clipScale(norm: number, maxNorm: number | null): number {
  return maxNorm === null ? 1 : Math.min(1, maxNorm / (norm + 1e-6))
}

/** Adam with clipping of the gradient norm, both as in torch. */
export class Adam {
  readonly #device: Device
  readonly #parameters: Tensor
  readonly #m: Tensor
  readonly #v: Tensor
  readonly #eps: number
  #power1 = 1
  #power2 = 1

  constructor(device: Device, parameters: Tensor, eps: number) {
    this.#device = device
    this.#parameters = parameters
    this.#m = device.tensor('f32', parameters.length)
    this.#v = device.tensor('f32', parameters.length)
    this.#eps = eps
  }

  /**
   * Takes one descent step. The Euclidean norm of `gradient` is first limited to maxNorm (null: no limit).
   * @returns norm before the limit
   */
  step(gradient: Tensor, lr: number, maxNorm: number | null): number {
    const norm = Math.sqrt(this.#device.dot(gradient, gradient))
    const gradScale = clipScale(norm, maxNorm)
    this.#power1 *= BETA1
    this.#power2 *= BETA2
    this.#device.adam(this.#parameters, gradient, this.#m, this.#v, {
      lr,
      beta1: BETA1,
      beta2: BETA2,
      eps: this.#eps,
      power1: this.#power1,
      power2: this.#power2,
      gradScale,
    })
    return norm
  }

  save(): AdamState {
    const read = (tensor: Tensor) => this.#device.read(tensor) as Float32Array
    return { m: read(this.#m), v: read(this.#v), powers: [this.#power1, this.#power2] }
  }

  restore(state: AdamState): void {
    this.#device.write(this.#m, state.m)
    this.#device.write(this.#v, state.v)
    ;[this.#power1, this.#power2] = state.powers
  }
}
