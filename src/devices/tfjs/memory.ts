import { allocate, type ElementType, type HostArray, type Tensor } from '../tensor.js'
import type { TensorFlow, TfTensor } from './tensorflow.js'

/** Frees the tensors of unreferenced values, such as those of an abandoned device. */
const ABANDONED = new FinalizationRegistry<TfTensor>((tensor) => tensor.dispose())

/**
 * Immutable elements in the memory of the backend, on the host, or in both. Each copy is made from the other on first
 * use. `retain` and `release` count the holders.
 */
export class Value {
  readonly length: number
  readonly #tf: TensorFlow
  #host: HostArray | null
  #tensor: TfTensor | null = null
  #holders = 0

  /** @param elements a tensor, or an array that must not change afterwards */
  constructor(tf: TensorFlow, elements: HostArray | TfTensor) {
    this.#tf = tf
    if (ArrayBuffer.isView(elements)) {
      this.#host = elements
      this.length = elements.length
    } else {
      this.#host = null
      this.length = elements.size
      // A separate handle, because the given one may be disposed of first.
      this.#hold(tf.reshape(elements, [elements.size]))
    }
  }

  /** The elements as a vector of the backend. */
  get tensor(): TfTensor {
    return this.#tensor ?? this.#hold(this.#upload())
  }

  /** The elements on the host. Read only. */
  get host(): HostArray {
    return (this.#host ??= this.tensor.dataSync())
  }

  retain(): this {
    this.#holders++
    return this
  }

  release(): void {
    if (--this.#holders > 0 || !this.#tensor) return
    this.#tensor.dispose()
    ABANDONED.unregister(this)
    this.#tensor = null
  }

  #hold(tensor: TfTensor): TfTensor {
    this.#tensor = this.#tf.keep(tensor)
    ABANDONED.register(this, tensor, this)
    return tensor
  }

  #upload(): TfTensor {
    const host = this.#host!
    if (host instanceof Float64Array) throw new TypeError('TensorFlow.js has no numbers of 64 bits')
    if (host instanceof Float32Array) return this.#tf.tensor1d(host, 'float32')
    return this.#tf.tensor1d(host instanceof Int32Array ? host : Int32Array.from(host), 'int32')
  }
}

/** Elements `from` .. `to` - 1 of a storage: those of `value` from `at` on. */
interface Segment {
  readonly from: number
  readonly to: number
  readonly value: Value
  readonly at: number
}

/**
 * Mutable memory, as a list of immutable values. Most contents are written and read as a whole, which copies nothing.
 * Contents written in parts are joined on reading.
 */
export class Storage {
  readonly type: ElementType
  readonly #tf: TensorFlow
  #segments: readonly Segment[] = []

  constructor(tf: TensorFlow, type: ElementType, length: number) {
    this.#tf = tf
    this.type = type
    if (length > 0) this.write(0, new Value(tf, allocate(type, length)))
  }

  /** Elements `from` .. `to` - 1 as a vector of the backend, valid within the current `tidy`. */
  tensor(from: number, to: number): TfTensor {
    const parts = this.#covering(from, to)
    if (parts.length === 1) return this.#part(parts[0])
    const value = new Value(
      this.#tf,
      this.#tf.concat(
        parts.map((part) => this.#part(part)),
        0,
      ),
    )
    this.write(from, value)
    return value.tensor
  }

  /** Elements `from` .. `to` - 1 on the host. Read only. */
  host(from: number, to: number): HostArray {
    const parts = this.#covering(from, to)
    if (parts.length === 1) return hostPart(parts[0])
    const joined = allocate(this.type, to - from)
    for (const part of parts) joined.set(hostPart(part), part.from - from)
    return joined
  }

  /** Replaces elements from `from` on by `length` elements of a value. */
  write(from: number, value: Value, at = 0, length = value.length): void {
    const to = from + length
    const before = this.#segments
    const kept = before.flatMap((segment) => [
      ...clip(segment, -Infinity, from),
      ...clip(segment, to, Infinity),
    ])
    this.#segments = [...kept, { from, to, value, at }].sort((a, b) => a.from - b.from)
    for (const segment of this.#segments) segment.value.retain()
    for (const segment of before) segment.value.release()
  }

  /** Releases all elements. */
  clear(): void {
    for (const { value } of this.#segments) value.release()
    this.#segments = []
  }

  /** Replaces elements from `from` on by elements `start` .. `end` - 1 of another storage. Both share the values. */
  copy(from: number, source: Storage, start: number, end: number): void {
    for (const part of source.#covering(start, end))
      this.write(from + part.from - start, part.value, part.at, part.to - part.from)
  }

  #covering(from: number, to: number): Segment[] {
    return this.#segments.flatMap((segment) => clip(segment, from, to))
  }

  #part({ from, to, value, at }: Segment): TfTensor {
    const whole = at === 0 && to - from === value.length
    return whole ? value.tensor : this.#tf.slice(value.tensor, [at], [to - from])
  }
}

/** Part of a segment within `from` .. `to` - 1, if any. */
function clip(segment: Segment, from: number, to: number): Segment[] {
  const first = Math.max(from, segment.from)
  const last = Math.min(to, segment.to)
  return first < last
    ? [{ from: first, to: last, value: segment.value, at: segment.at + first - segment.from }]
    : []
}

function hostPart({ from, to, value, at }: Segment): HostArray {
  return value.host.subarray(at, at + to - from)
}

/** Tensor as a part of a storage. */
export class TfjsTensor implements Tensor {
  readonly storage: Storage
  readonly offset: number
  readonly length: number
  /** Device that made it. */
  readonly owner: object

  constructor(owner: object, storage: Storage, offset: number, length: number) {
    this.owner = owner
    this.storage = storage
    this.offset = offset
    this.length = length
  }

  get type(): ElementType {
    return this.storage.type
  }

  get tensor(): TfTensor {
    return this.storage.tensor(this.offset, this.offset + this.length)
  }

  /** Elements on the host. Read only. */
  get host(): HostArray {
    return this.storage.host(this.offset, this.offset + this.length)
  }

  /** Replaces the first elements. */
  write(value: Value): void {
    this.storage.write(this.offset, value)
  }

  /** Copies the elements of a tensor of the same length. */
  copy({ storage, offset, length }: TfjsTensor): void {
    this.storage.copy(this.offset, storage, offset, offset + length)
  }
}
