import { parameterEntry, parameterLayout } from '../nn/layout.js'
import type { PolicyCall, PolicyNetwork, PolicyRival } from './rivals.js'

/** A layer as arrays. */
interface Layer {
  readonly weight: Float32Array
  readonly bias: Float32Array
  /** Of the LayerNorm after the activation; null for the head. */
  readonly gamma: Float32Array | null
  readonly beta: Float32Array | null
  readonly y: Float32Array
}

const EPSILON = 1e-5

/** Policies with relu and LayerNorm as straightforward JavaScript on Float32Arrays. */
export const plainJavaScript: PolicyRival = {
  name: 'plain JavaScript',
  open: async (network, rows) => plainPolicy(network, rows),
}

function plainPolicy({ spec, parameters }: PolicyNetwork, rows: number): PolicyCall {
  const layout = parameterLayout(spec)
  const named = (name: string) => {
    const { offset, size } = parameterEntry(layout, name)
    return parameters.subarray(offset, offset + size)
  }
  const hidden = spec.hidden.map((_, i) => `hidden.${i}`)
  const layers = [...hidden, 'head'].map((name): Layer => {
    const bias = named(`${name}.bias`)
    const inner = name !== 'head'
    const gamma = inner ? named(`${name}.norm.weight`) : null
    const beta = inner ? named(`${name}.norm.bias`) : null
    return { weight: named(`${name}.weight`), bias, gamma, beta, y: new Float32Array(bias.length) }
  })
  const input = new Float32Array(spec.input.size)
  const [gamma, beta] = [named('input.norm.weight'), named('input.norm.bias')]
  const out = new Float32Array(rows * spec.head.size)
  return (observations) => {
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < input.length; i++) input[i] = observations[row * input.length + i]
      normalise(input, gamma, beta)
      let x: Float32Array = input
      for (const layer of layers) x = forward(x, layer)
      out.set(x, row * x.length)
    }
    return out
  }
}

function forward(x: Float32Array, { weight, bias, gamma, beta, y }: Layer): Float32Array {
  for (let j = 0; j < y.length; j++) {
    let sum = bias[j]
    for (let i = 0; i < x.length; i++) sum += weight[j * x.length + i] * x[i]
    y[j] = gamma && sum < 0 ? 0 : sum
  }
  if (gamma && beta) normalise(y, gamma, beta)
  return y
}

function normalise(x: Float32Array, gamma: Float32Array, beta: Float32Array): void {
  let mean = 0
  for (let i = 0; i < x.length; i++) mean += x[i]
  mean /= x.length
  let variance = 0
  for (let i = 0; i < x.length; i++) variance += (x[i] - mean) * (x[i] - mean)
  const scale = 1 / Math.sqrt(variance / x.length + EPSILON)
  for (let i = 0; i < x.length; i++) x[i] = (x[i] - mean) * scale * gamma[i] + beta[i]
}
