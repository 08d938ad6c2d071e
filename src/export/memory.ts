import { ACTIVATIONS } from '../devices/steps.js'
import { HatrpoError } from '../errors.js'
import { PURPOSE } from '../kernels/index.js'
import { parameterEntry, parameterLayout } from '../nn/layout.js'
import { inputWidth, type GaussianActorSpec } from '../nn/spec.js'
import type { Segment } from './binary.js'
import { packPanels, paddedColumns } from './pack.js'

const LAYERS = 72
const LAYER_BYTES = 24
const ALIGNMENT = 64
const PAGE_BYTES = 65536
const MAXIMUM_PAGES = 65536

/** What an exported module's memory holds from the start. */
export interface PolicyMemory {
  readonly observation: number
  readonly action: number
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
 * Lays out the memory of assembly/policy.ts for a network: header, working space, weights.
 * @param parameters f32 [parameterLayout(spec).size]
 * @param stream what keeps this policy's samples apart from those of others with the same seed
 * @throws HatrpoError when the network is too large for a WebAssembly memory
 */
export function policyMemory(
  spec: GaussianActorSpec,
  parameters: Float32Array,
  stream: number,
): PolicyMemory {
  const { input, hidden, head } = spec
  const named = parameterLayout(spec)
  const parameter = (name: string) => {
    const { offset, size } = parameterEntry(named, name)
    return parameters.subarray(offset, offset + size)
  }
  const headerBytes = LAYERS + LAYER_BYTES * (hidden.length + 1)
  const layout = new Layout(headerBytes)
  const observation = layout.floats(input.size)
  const vector = layout.floats(inputWidth(input))
  const widest = paddedColumns(Math.max(0, ...hidden))
  // A layer reads one and writes the other.
  const turns = [layout.floats(widest), layout.floats(widest)] as const
  const action = layout.floats(paddedColumns(head.size))

  const weights = new Weights(layout)
  const header = new DataView(new ArrayBuffer(headerBytes))
  const words = (at: number, values: readonly number[]) =>
    values.forEach((value, i) => header.setUint32(at + 4 * i, value, true))
  words(0, [observation, input.size, input.agentId?.index ?? 0, input.agentId?.count ?? 0])
  words(16, [input.standardise ? 1 : 0, vector])
  if (input.layerNorm) {
    words(
      24,
      ['weight', 'bias'].map((name) => weights.add(parameter(`input.norm.${name}`))),
    )
  }
  words(32, [ACTIVATIONS.indexOf(spec.activation), action, weights.add(parameter('logStd')), head.size])
  header.setFloat64(48, head.stdX, true)
  header.setFloat64(56, head.stdY, true)
  words(64, [PURPOSE.exported, stream])

  let width = inputWidth(input)
  ;[...hidden, head.size].forEach((outputs, i) => {
    const name = i < hidden.length ? `hidden.${i}` : 'head'
    const packed = weights.add(packPanels(parameter(`${name}.weight`), outputs, width))
    const bias = weights.add(parameter(`${name}.bias`), paddedColumns(outputs))
    const at = LAYERS + LAYER_BYTES * i
    words(at, [outputs, packed, bias, name === 'head' ? action : turns[i % 2]])
    if (name !== 'head') {
      words(
        at + 16,
        ['weight', 'bias'].map((part) => weights.add(parameter(`${name}.norm.${part}`))),
      )
    }
    width = outputs
  })

  const pages = pagesOf(layout.end, parameters.length)
  const bytes = new Uint8Array(header.buffer)
  return { observation, action, pages, segments: [{ at: 0, bytes }, weights.segment()] }
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
