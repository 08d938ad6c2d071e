import { ACTIVATIONS } from '../devices/steps.js'
import { HatrpoError } from '../errors.js'
import { POLICY, POLICY_LAYER, POLICY_RECURRENT, POLICY_RECURRENT_LAYER, PURPOSE } from '../kernels/index.js'
import { parameterEntry, parameterLayout } from '../nn/layout.js'
import type { ExportedHead, PolicySpec } from '../learner/heads/head.js'
import { exportedHead } from '../learner/heads/table.js'
import { headInputs, inputWidth } from '../nn/spec.js'
import type { Segment } from './binary.js'
import { packPanels, paddedColumns } from './pack.js'

const ALIGNMENT = 64
export const PAGE_BYTES = 65536
const MAXIMUM_PAGES = 65536

/** Initial content of an exported module's memory. */
export interface PolicyMemory {
  readonly observation: number
  readonly action: number
  /** Address of the mask of available actions, u8, of policies that choose; null of others. */
  readonly available: number | null
  /** Of 64 KiB. */
  readonly pages: number
  readonly segments: readonly [header: Segment, weights: Segment]
}

/** Hands out addresses one after another, each a multiple of 64. */
class Layout {
  end: number

  constructor(start: number) {
    this.end = Math.ceil(start / ALIGNMENT) * ALIGNMENT
  }

  /** The address of `count` f32. */
  floats(count: number): number {
    const address = this.end
    this.end = Math.ceil((address + count * 4) / ALIGNMENT) * ALIGNMENT
    return address
  }
}

/** Arrays of f32 with their addresses, joined into one segment. */
class Weights {
  readonly layout: Layout
  readonly start: number
  readonly #parts: { address: number; values: Float32Array }[] = []

  constructor(layout: Layout) {
    this.layout = layout
    this.start = layout.end
  }

  /** @param length in f32, at least that of the values; zeros follow them */
  add(values: Float32Array, length = values.length): number {
    const address = this.layout.floats(length)
    this.#parts.push({ address, values })
    return address
  }

  segment(): Segment {
    const floats = new Float32Array((this.layout.end - this.start) / 4)
    for (const { address, values } of this.#parts) floats.set(values, (address - this.start) / 4)
    return { at: this.start, bytes: new Uint8Array(floats.buffer) }
  }
}

/**
 * Lays out the memory of assembly/policy.ts for a network: record, working space, weights.
 * @param parameters f32 [parameterLayout(spec).size]
 * @param stream what keeps this policy's samples apart from those of others with the same seed
 * @throws HatrpoError when the network is too large for a WebAssembly memory
 */
export function policyMemory(spec: PolicySpec, parameters: Float32Array, stream: number): PolicyMemory {
  const { input, hidden, head } = spec
  const named = parameterLayout(spec)
  const exported = exportedHead(head)
  const parameter = (name: string) => {
    const { offset, size } = parameterEntry(named, name)
    return parameters.subarray(offset, offset + size)
  }
  const recurrentAt = POLICY.layers + POLICY_LAYER.bytes * (hidden.length + 1)
  const headerBytes = recurrentAt + recurrentBytes(spec)
  const layout = new Layout(headerBytes)
  const observation = layout.floats(input.size)
  const vector = layout.floats(inputWidth(input))
  const widest = paddedColumns(Math.max(0, ...hidden))
  // A layer reads one and writes the other.
  const turns = [layout.floats(widest), layout.floats(widest)] as const
  const action = layout.floats(exported.inFront + paddedColumns(head.size))
  const outputs = action + 4 * exported.inFront
  const recurrent = recurrentSpace(spec, layout)

  const weights = new Weights(layout)
  const header = new DataView(new ArrayBuffer(headerBytes))
  const word = (at: number, value: number) => header.setUint32(at, value, true)
  const writer = { word, weights, parameter }
  writeInput(input, { observation, vector }, writer)
  word(POLICY.activation, ACTIVATIONS.indexOf(spec.activation))
  word(POLICY.action, action)
  word(POLICY.headVector, headVector(exported.vector, outputs, weights, parameter))
  word(POLICY.actionSize, exported.actionSize)
  const available = initialMask(head.choices, weights)
  if (available !== null) word(POLICY.available, available)
  exported.constants.forEach((value, i) => header.setFloat64(POLICY.headConstants + 8 * i, value, true))
  word(POLICY.purpose, PURPOSE.exported)
  word(POLICY.stream, stream)

  let width = hidden.length > 0 ? inputWidth(input) : headInputs(spec)
  ;[...hidden, head.size].forEach((units, i) => {
    const name = i < hidden.length ? `hidden.${i}` : 'head'
    const at = POLICY.layers + POLICY_LAYER.bytes * i
    word(at + POLICY_LAYER.outputs, units)
    word(at + POLICY_LAYER.weight, weights.add(packPanels(parameter(`${name}.weight`), units, width)))
    word(at + POLICY_LAYER.bias, weights.add(parameter(`${name}.bias`), paddedColumns(units)))
    word(at + POLICY_LAYER.y, name === 'head' ? outputs : turns[i % 2])
    if (name !== 'head') {
      word(at + POLICY_LAYER.gamma, weights.add(parameter(`${name}.norm.weight`)))
      word(at + POLICY_LAYER.beta, weights.add(parameter(`${name}.norm.bias`)))
    }
    width = i + 1 < hidden.length ? units : headInputs(spec)
  })
  if (recurrent) writeRecurrent(spec, recurrentAt, recurrent, writer)

  const record = { at: 0, bytes: new Uint8Array(header.buffer) }
  const pages = pagesOf(layout.end, parameters.length)
  return { observation, action, available, pages, segments: [record, weights.segment()] }
}

/** Means to fill the memory. */
interface Writer {
  readonly word: (at: number, value: number) => void
  readonly weights: Weights
  readonly parameter: (name: string) => Float32Array
}

/** Writes the data of the input stage. */
function writeInput(
  input: PolicySpec['input'],
  { observation, vector }: { readonly observation: number; readonly vector: number },
  { word, weights, parameter }: Writer,
): void {
  word(POLICY.observation, observation)
  word(POLICY.observationSize, input.size)
  word(POLICY.agent, input.agentId?.index ?? 0)
  word(POLICY.agents, input.agentId?.count ?? 0)
  word(POLICY.standardise, input.standardise ? 1 : 0)
  word(POLICY.input, vector)
  if (!input.layerNorm) return
  word(POLICY.gamma, weights.add(parameter('input.norm.weight')))
  word(POLICY.beta, weights.add(parameter('input.norm.bias')))
}

/** Address of the mask, which initially allows all choices; null for continuous actions. */
function initialMask(choices: number, weights: Weights): number | null {
  return choices > 0 ? weights.add(words(new Uint8Array(choices).fill(1))) : null
}

/** Address of a head's input besides its linear layer. @param outputs address of the network's outputs */
function headVector(
  vector: ExportedHead['vector'],
  outputs: number,
  weights: Weights,
  parameter: (name: string) => Float32Array,
): number {
  if ('output' in vector) return outputs + 4 * vector.output
  if ('parameter' in vector) return weights.add(parameter(vector.parameter))
  if ('integers' in vector) return weights.add(words(Int32Array.from(vector.integers)))
  return weights.add(Float32Array.from(vector.numbers))
}

/** The bytes of an array as f32, padded with zeros. */
function words({ buffer, byteLength }: Int32Array | Uint8Array): Float32Array {
  const padded = new Uint8Array(Math.ceil(byteLength / 4) * 4)
  padded.set(new Uint8Array(buffer))
  return new Float32Array(padded.buffer)
}

/** Length of the record of a network's recurrent layers. */
function recurrentBytes({ recurrent }: PolicySpec): number {
  return recurrent ? POLICY_RECURRENT.layers + POLICY_RECURRENT_LAYER.bytes * recurrent.layers : 0
}

/** Addresses of the states and of the working space of recurrent layers; null without any. */
function recurrentSpace({ recurrent }: PolicySpec, layout: Layout) {
  if (!recurrent) return null
  const { size, layers } = recurrent
  return {
    states: layout.floats(size * layers),
    out: layout.floats(size),
    product: layout.floats(paddedColumns(3 * size)),
    gates: layout.floats(Math.max(paddedColumns(3 * size), 4 * size)),
    next: layout.floats(size),
  }
}

/** Writes the record of the recurrent layers, and their weights. */
function writeRecurrent(
  spec: PolicySpec,
  at: number,
  space: NonNullable<ReturnType<typeof recurrentSpace>>,
  { word, weights, parameter }: Writer,
): void {
  const { size, layers } = spec.recurrent!
  word(POLICY.recurrent, at)
  word(at + POLICY_RECURRENT.size, size)
  word(at + POLICY_RECURRENT.count, layers)
  word(at + POLICY_RECURRENT.head, POLICY.layers + POLICY_LAYER.bytes * spec.hidden.length)
  for (const name of ['states', 'out', 'product', 'gates', 'next'] as const)
    word(at + POLICY_RECURRENT[name], space[name])
  word(at + POLICY_RECURRENT.gamma, weights.add(parameter('gru.norm.weight')))
  word(at + POLICY_RECURRENT.beta, weights.add(parameter('gru.norm.bias')))
  for (let i = 0; i < layers; i++) {
    const layer = at + POLICY_RECURRENT.layers + POLICY_RECURRENT_LAYER.bytes * i
    const inputs = i > 0 ? size : (spec.hidden.at(-1) ?? inputWidth(spec.input))
    const linear = (name: string, width: number, weight: number, bias: number) => {
      word(layer + weight, weights.add(packPanels(parameter(`${name}.weight`), 3 * size, width)))
      word(layer + bias, weights.add(parameter(`${name}.bias`), paddedColumns(3 * size)))
    }
    const { input, inputBias, state, stateBias } = POLICY_RECURRENT_LAYER
    linear(`gru.${i}.input`, inputs, input, inputBias)
    linear(`gru.${i}.state`, size, state, stateBias)
  }
}

function pagesOf(size: number, parameters: number): number {
  const pages = Math.ceil(size / PAGE_BYTES)
  if (pages > MAXIMUM_PAGES) {
    throw new HatrpoError(
      `a policy of ${parameters} parameters needs ${size} bytes: a WebAssembly memory has at most 4 GiB`,
    )
  }
  return pages
}
