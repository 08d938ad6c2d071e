import { inputStage } from '../../src/devices/reference/layers.js'
import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { ACTIVATE, layerNorm, linear } from './dense.js'

const logistic = (z: number) => 1 / (1 + Math.exp(-z))

/** h' = GRU(x, h) with torch's gates, from W x + b and U h + u, each of three parts r, z, n. */
export function gruCell(x: readonly number[], product: readonly number[], h: readonly number[]): number[] {
  const size = h.length
  return h.map((before, j) => {
    const r = logistic(x[j] + product[j])
    const z = logistic(x[size + j] + product[size + j])
    const n = Math.tanh(x[2 * size + j] + r * product[2 * size + j])
    return (1 - z) * n + z * before
  })
}

/** Rows of one chunk of time. */
export interface ChunkCase {
  readonly raw: readonly (readonly number[])[]
  /** Whether the state is reset before each row. */
  readonly starts: readonly boolean[]
  /** States of all layers before the first row, side by side. */
  readonly state: readonly number[]
}

/** A recurrent network's outputs and states after each row of a chunk, in f64. */
export function forwardChunk(
  spec: NetworkSpec,
  parameters: ArrayLike<number>,
  { raw, starts, state }: ChunkCase,
): { outputs: number[][]; states: number[][] } {
  const layout = parameterLayout(spec)
  const all = Array.from(parameters)
  const p = (name: string) => {
    const { offset, size } = parameterEntry(layout, name)
    return all.slice(offset, offset + size)
  }
  const layer = (x: number[], name: string) => linear(x, p(`${name}.weight`), p(`${name}.bias`))
  const norm = (x: number[], name: string) => layerNorm(x, p(`${name}.weight`), p(`${name}.bias`))
  const { size, layers } = spec.recurrent!
  let states = Array.from({ length: layers }, (_, i) => state.slice(i * size, (i + 1) * size))
  const result = { outputs: [] as number[][], states: [] as number[][] }
  raw.forEach((row, t) => {
    let x = inputStage({ agentId: null, standardise: spec.input.standardise }, row)
    if (spec.input.layerNorm) x = norm(x, 'input.norm')
    spec.hidden.forEach((_, i) => {
      x = norm(layer(x, `hidden.${i}`).map(ACTIVATE[spec.activation]), `hidden.${i}.norm`)
    })
    states = states.map((before, i) => {
      const h = starts[t] ? before.map(() => 0) : before
      x = gruCell(layer(x, `gru.${i}.input`), layer(h, `gru.${i}.state`), h)
      return x
    })
    result.outputs.push(layer(norm(x, 'gru.norm'), 'head'))
    result.states.push(states.flat())
  })
  return result
}
