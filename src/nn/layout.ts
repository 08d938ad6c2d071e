import { inputWidth, type NetworkSpec } from './spec.js'

/** One parameter tensor inside a network's flat vector. */
export interface ParameterEntry {
  readonly name: string
  /** Row-major; a Linear weight is [out, in]. */
  readonly shape: readonly number[]
  /** First element in the flat vector. */
  readonly offset: number
  readonly size: number
}

/** Place of each parameter of a network in its flat Float32Array. */
export interface ParameterLayout {
  readonly entries: readonly ParameterEntry[]
  readonly size: number
}

/**
 * The flat layout: input.norm, then per hidden layer its Linear and its LayerNorm, then the recurrent layers and their
 * LayerNorm, then the head's own vectors, then its linear layer. It is the order in which torch lists the parameters of HARL's networks.
 */
export function parameterLayout(spec: NetworkSpec): ParameterLayout {
  const entries: ParameterEntry[] = []
  let offset = 0
  const add = (name: string, ...shape: number[]) => {
    const size = shape.reduce((product, n) => product * n, 1)
    entries.push({ name, shape, offset, size })
    offset += size
  }

  let width = inputWidth(spec.input)
  if (spec.input.layerNorm) {
    add('input.norm.weight', width)
    add('input.norm.bias', width)
  }
  spec.hidden.forEach((units, i) => {
    add(`hidden.${i}.weight`, units, width)
    add(`hidden.${i}.bias`, units)
    add(`hidden.${i}.norm.weight`, units)
    add(`hidden.${i}.norm.bias`, units)
    width = units
  })
  if (spec.recurrent) {
    const { size, layers } = spec.recurrent
    for (let i = 0; i < layers; i++) {
      add(`gru.${i}.input.weight`, 3 * size, width)
      add(`gru.${i}.state.weight`, 3 * size, size)
      add(`gru.${i}.input.bias`, 3 * size)
      add(`gru.${i}.state.bias`, 3 * size)
      width = size
    }
    add('gru.norm.weight', size)
    add('gru.norm.bias', size)
  }
  for (const { name, size } of spec.head.vectors) add(name, size)
  add('head.weight', spec.head.size, width)
  add('head.bias', spec.head.size)
  return { entries, size: offset }
}

/** The entry called `name`. @throws RangeError when the layout has none */
export function parameterEntry(layout: ParameterLayout, name: string): ParameterEntry {
  const entry = layout.entries.find((candidate) => candidate.name === name)
  if (!entry) throw new RangeError(`no parameter called ${name}`)
  return entry
}
