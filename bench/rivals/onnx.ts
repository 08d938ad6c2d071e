import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import type { PolicyNetwork } from '../../src/bench/rivals.js'

// Protocol buffers: https://protobuf.dev/programming-guides/encoding; fields: onnx.proto of ONNX 1.12.
const IR_VERSION = 8
const OPSET = 17
const FLOAT = 1
const INT_ATTRIBUTE = 2

type Bytes = readonly number[] | Uint8Array

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}

/** Field with a whole number. */
const whole = (field: number, value: number): Bytes => [...varint(field * 8), ...varint(value)]

/** Field with bytes: text, raw data or a message. */
function bytes(field: number, ...parts: readonly (Bytes | string)[]): Bytes {
  const content = joined(
    parts.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part)),
  )
  return joined([[...varint(field * 8 + 2), ...varint(content.length)], content])
}

function joined(parts: readonly Bytes[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function node(type: string, inputs: readonly string[], output: string, ...attributes: Bytes[]): Bytes {
  const names = inputs.map((name) => bytes(1, name))
  return bytes(1, ...names, bytes(2, output), bytes(3, output), bytes(4, type), ...attributes)
}

function initializer(name: string, shape: readonly number[], values: Float32Array): Bytes {
  const raw = new Uint8Array(values.slice().buffer)
  return bytes(5, ...shape.map((size) => whole(1, size)), whole(2, FLOAT), bytes(8, name), bytes(9, raw))
}

/** Description of the graph's input (field 11) or output (field 12), f32 [rows, width]. */
function value(field: number, name: string, shape: readonly number[]): Bytes {
  const dimensions = shape.map((size) => bytes(1, whole(1, size)))
  return bytes(field, bytes(1, name), bytes(2, bytes(1, whole(1, FLOAT), bytes(2, ...dimensions))))
}

const TRANSPOSED = bytes(5, bytes(1, 'transB'), whole(3, 1), whole(20, INT_ATTRIBUTE))

/** A policy with relu and LayerNorm as an ONNX model from `observations` to `actions`, for a number of rows. */
export function onnxModel({ spec, parameters }: PolicyNetwork, rows: number): Uint8Array {
  const layout = parameterLayout(spec)
  const nodes: Bytes[] = []
  const initializers: Bytes[] = []
  const constant = (name: string): string => {
    const { offset, size, shape } = parameterEntry(layout, name)
    initializers.push(initializer(name, shape, parameters.subarray(offset, offset + size)))
    return name
  }
  const normalise = (x: string, prefix: string, output: string): string => {
    const inputs = [x, constant(`${prefix}.weight`), constant(`${prefix}.bias`)]
    nodes.push(node('LayerNormalization', inputs, output))
    return output
  }
  const linear = (x: string, prefix: string, output: string): string => {
    const inputs = [x, constant(`${prefix}.weight`), constant(`${prefix}.bias`)]
    nodes.push(node('Gemm', inputs, output, TRANSPOSED))
    return output
  }
  let x = normalise('observations', 'input.norm', 'x')
  for (let i = 0; i < spec.hidden.length; i++) {
    const z = linear(x, `hidden.${i}`, `z${i}`)
    nodes.push(node('Relu', [z], `y${i}`))
    x = normalise(`y${i}`, `hidden.${i}.norm`, `x${i}`)
  }
  linear(x, 'head', 'actions')
  const graph = bytes(
    7,
    ...nodes,
    bytes(2, 'policy'),
    ...initializers,
    value(11, 'observations', [rows, spec.input.size]),
    value(12, 'actions', [rows, spec.head.size]),
  )
  return joined([whole(1, IR_VERSION), graph, bytes(8, bytes(1, ''), whole(2, OPSET))])
}
