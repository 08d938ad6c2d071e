// Reading and rebuilding WebAssembly modules section by section (WebAssembly core specification, chapter 5).

/** One section of a module: its id and content, without the length in front. */
export interface Section {
  readonly id: number
  readonly content: Uint8Array
}

/** Bytes that are put into memory when a module is instantiated. */
export interface Segment {
  /** Address of the first byte. */
  readonly at: number
  readonly bytes: Uint8Array
}

export const CUSTOM = 0
export const MEMORY = 5
export const GLOBAL = 6
export const EXPORT = 7
export const DATA = 11

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const I32 = 0x7f
const IMMUTABLE = 0x00
const I32_CONST = 0x41
const END = 0x0b
const EXPORTED_GLOBAL = 0x03

/** Reads numbers and names from a section, front to back. */
class SectionReader {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    if (this.done) throw new RangeError('the module ends in the middle of a section')
    return this.bytes[this.at++]
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) {
      throw new RangeError('the module ends in the middle of a section')
    }
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** An unsigned LEB128 number below 2^32. */
  u32(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
}

/** A number below 2^32 as unsigned LEB128. */
function u32(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}

/** `i32.const address; end`. The constant is signed LEB128, of an address below 2^32. */
function addressExpression(address: number): number[] {
  const bytes: number[] = []
  let rest = address | 0
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 127) | 128)
    rest >>= 7
  }
  return [I32_CONST, ...bytes, rest & 127, END]
}

/** Byte strings, one after another. */
function concat(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Sections of a module, in order. @throws RangeError for bytes that are not a module */
export function readSections(module: Uint8Array): Section[] {
  const reader = new SectionReader(module)
  const head = reader.take(MAGIC_AND_VERSION.length)
  if (MAGIC_AND_VERSION.some((byte, i) => head[i] !== byte)) throw new RangeError('not a WebAssembly module')
  const sections: Section[] = []
  while (!reader.done) {
    const id = reader.byte()
    sections.push({ id, content: reader.take(reader.u32()) })
  }
  return sections
}

/** The module made of these sections. */
export function writeSections(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  const parts: ArrayLike<number>[] = [MAGIC_AND_VERSION]
  for (const { id, content } of sections) parts.push([id, ...u32(content.length)], content)
  return concat(parts)
}

/** One memory of exactly `pages` pages of 64 KiB, that cannot grow. */
export function memorySection(pages: number): Section {
  return { id: MEMORY, content: concat([[1, 1, ...u32(pages), ...u32(pages)]]) }
}

/** Active segments of the memory. */
export function dataSection(segments: readonly Segment[]): Section {
  const parts: ArrayLike<number>[] = [u32(segments.length)]
  for (const { at, bytes } of segments) {
    parts.push([0, ...addressExpression(at), ...u32(bytes.length)], bytes)
  }
  return { id: DATA, content: concat(parts) }
}

export function customSection(name: string, bytes: Uint8Array): Section {
  const encoded = new TextEncoder().encode(name)
  return { id: CUSTOM, content: concat([u32(encoded.length), encoded, bytes]) }
}

/** Exported globals: name to position among the module's globals (the module imports none). */
export function exportedGlobals(section: Section): Map<string, number> {
  const reader = new SectionReader(section.content)
  const globals = new Map<string, number>()
  for (let left = reader.u32(); left > 0; left--) {
    const name = new TextDecoder().decode(reader.take(reader.u32()))
    const kind = reader.byte()
    const index = reader.u32()
    if (kind === EXPORTED_GLOBAL) globals.set(name, index)
  }
  return globals
}

// One global with its initial value, byte by byte; a template's are constants.
function readGlobal(reader: SectionReader): Uint8Array {
  const start = reader.at
  reader.take(2)
  const opcode = reader.byte()
  if (opcode === 0x44) reader.take(8)
  else if (opcode === 0x43) reader.take(4)
  else while (reader.byte() >= 128);
  if (reader.byte() !== END) throw new RangeError(`global at ${start}: its initial value is not a constant`)
  return reader.bytes.subarray(start, reader.at)
}

/** The global section with other values for some immutable i32 globals, by position. */
export function withGlobals(section: Section, values: ReadonlyMap<number, number>): Section {
  const reader = new SectionReader(section.content)
  const count = reader.u32()
  const parts: ArrayLike<number>[] = [u32(count)]
  for (let i = 0; i < count; i++) {
    const global = readGlobal(reader)
    const value = values.get(i)
    if (value === undefined) parts.push(global)
    else if (global[0] === I32 && global[1] === IMMUTABLE) {
      parts.push([I32, IMMUTABLE, ...addressExpression(value)])
    } else throw new RangeError(`global ${i} is not an immutable i32`)
  }
  return { id: GLOBAL, content: concat(parts) }
}
