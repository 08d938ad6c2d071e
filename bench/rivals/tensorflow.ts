import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import type { PolicyRival } from '../../src/bench/rivals.js'

/** The part of TensorFlow.js that is used. */
export interface TensorFlow {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  tensor1d(values: Float32Array): Tensor
  tensor2d(values: Float32Array, shape: readonly number[]): Tensor
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor
  add(a: Tensor, b: Tensor): Tensor
  sub(a: Tensor, b: Tensor): Tensor
  mul(a: Tensor, b: Tensor): Tensor
  relu(x: Tensor): Tensor
  rsqrt(x: Tensor): Tensor
  scalar(value: number): Tensor
  mean(x: Tensor, axis: number, keepDims: boolean): Tensor
  square(x: Tensor): Tensor
  tidy<T>(work: () => T): T
}

interface Tensor {
  dataSync(): Float32Array
}

const EPSILON = 1e-5

/** Policies as operations of TensorFlow.js on its WebAssembly backend. */
export function tensorFlowRival(tf: TensorFlow): PolicyRival {
  return {
    name: 'tfjs-backend-wasm',
    open: async ({ spec, parameters }, rows) => {
      const layout = parameterLayout(spec)
      const constant = (name: string): Tensor => {
        const { offset, size, shape } = parameterEntry(layout, name)
        const values = parameters.slice(offset, offset + size)
        return shape.length === 1 ? tf.tensor1d(values) : tf.tensor2d(values, shape)
      }
      const pair = (prefix: string) => ({
        weight: constant(`${prefix}.weight`),
        bias: constant(`${prefix}.bias`),
      })
      const epsilon = tf.scalar(EPSILON)
      const input = pair('input.norm')
      const hidden = spec.hidden.map((_, i) => ({
        linear: pair(`hidden.${i}`),
        norm: pair(`hidden.${i}.norm`),
      }))
      const head = pair('head')
      const linear = (x: Tensor, { weight, bias }: typeof head) =>
        tf.add(tf.matMul(x, weight, false, true), bias)
      const normalise = (x: Tensor, { weight, bias }: typeof head) => {
        const centred = tf.sub(x, tf.mean(x, -1, true))
        const variance = tf.mean(tf.square(centred), -1, true)
        return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), weight), bias)
      }
      return (observations) =>
        tf.tidy(() => {
          let x = normalise(tf.tensor2d(observations, [rows, spec.input.size]), input)
          for (const layer of hidden) x = normalise(tf.relu(linear(x, layer.linear)), layer.norm)
          return linear(x, head).dataSync()
        })
    },
  }
}
