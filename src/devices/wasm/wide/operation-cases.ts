import type { ProgramSpec, RowStep, SetupStep } from '../../steps.js'
import type { ElementType, Tensor } from '../../tensor.js'
import type { WasmDevice } from '../device.js'
import { sizeOf } from '../encode.js'
import { OPERATIONS, type Argument, type Operation } from '../operations.js'

/** Sizes that steps take in turn: below, at and above one vector of 128 or 256 bits, a panel and a pair of panels. */
const SIZES = [1, 3, 4, 7, 8, 12, 16, 17, 33]
/** Greatest number of sums of one step. */
const SUMS = 4

/** Fields of a step by path. */
type Fields = Record<string, unknown>

/** Which of an operation's optional arguments a step has. */
const PRESENT: readonly ((position: number) => boolean)[] = [
  () => true,
  () => false,
  (position) => position % 2 === 0,
  (position) => position % 2 === 1,
]

/** Operations that a program contains only as part of packing and of reductions name addresses. */
const isInternal = ([, { words }]: [string, Operation]) =>
  Object.values(words).some(({ kind }) => kind === 'address')
/** Work before the pass over the rows has no operand of the rows. */
const isSetup = ([, { words }]: [string, Operation]) =>
  Object.values(words).every(({ kind }) => kind !== 'rows' && kind !== 'gradient')

/**
 * Program with steps of every operation of the table, whatever the table holds: in many sizes, with each choice, with and
 * without its optional arguments. Its operands hold numbers from `fill`.
 * @param steps number of steps of an operation with the same choice
 */
export function everyOperation(
  device: WasmDevice,
  rows: number,
  steps: number,
  fill: (tensor: Tensor) => void,
): ProgramSpec {
  const operations = (Object.entries(OPERATIONS) as [string, Operation][]).filter(
    (entry) => !isInternal(entry),
  )
  let entries = 0
  const makeSteps = (entry: [string, Operation]) =>
    variants(entry[1], steps).map((variant, index) => {
      const maker = new StepMaker(device, rows, fill, entries)
      const step = maker.make(entry, variant, index)
      entries = maker.entries
      return step
    })
  const setup = operations.filter(isSetup).flatMap(makeSteps) as unknown as SetupStep[]
  const once = operations.filter((entry) => !isSetup(entry)).flatMap(makeSteps) as unknown as RowStep[]
  // A second step with the same entries of the gradient makes both accumulate; the last entry has no step at all.
  const again = once.filter((step, i) => i % 2 === 0 && !('sums' in step))
  return { setup, rows: [...once, ...again], gradient: device.tensor('f32', entries + 1) }
}

interface Variant {
  readonly present: (position: number) => boolean
  readonly choice: number
}

function variants({ words }: Operation, steps: number): Variant[] {
  const choices = Math.max(1, ...Object.values(words).map((word) => word.choices?.length ?? 0))
  return Array.from({ length: choices * steps }, (_, i) => ({
    present: PRESENT[i % PRESENT.length],
    choice: Math.floor(i / steps),
  }))
}

/** Makes one step with operands of its own. */
class StepMaker {
  /** Number of entries of the gradient so far. */
  entries: number
  readonly #device: WasmDevice
  readonly #rows: number
  readonly #fill: (tensor: Tensor) => void

  constructor(device: WasmDevice, rows: number, fill: (tensor: Tensor) => void, entries: number) {
    this.#device = device
    this.#rows = rows
    this.#fill = fill
    this.entries = entries
  }

  make([op, operation]: [string, Operation], { present, choice }: Variant, index: number): Fields {
    const words = Object.entries(operation.words)
    const sizes = sizeFields(operation)
    const step: Fields = { op }
    const absent = (argument: Argument, position: number) =>
      argument.missing !== undefined && !present(position)
    const place = (name: string, value: unknown) => setField(step, name, value)
    // The sizes of operands come first, from which the lengths of the operands follow.
    sizes.forEach((path, i) => {
      const position = words.findIndex(([name, { field }]) => (field ?? name) === path)
      if (position < 0 || !absent(words[position][1], position))
        place(path, SIZES[(index * (i + 1) + i) % SIZES.length])
    })
    words.forEach(([name, argument], position) => {
      const path = argument.field ?? name
      if (absent(argument, position) || sizes.includes(path)) return
      if (argument.kind === 'sums')
        place(
          'sums',
          Array.from({ length: SUMS }, (_, i) => `${op} ${index} ${i}`),
        )
      else if (argument.kind === 'choice') place(path, argument.choices?.[choice])
      else place(path, this.#value(step, argument, index))
    })
    return step
  }

  #value(step: Fields, argument: Argument, index: number): unknown {
    const size = sizeOf(step as never, argument)
    switch (argument.kind) {
      case 'rows':
        return this.#tensor(argument, size * this.#rows)
      case 'tensor':
        return this.#tensor(argument, size)
      case 'panels':
        return this.#tensor({ kind: 'tensor', type: 'f32' }, sizeOf(step as never, PANELS))
      case 'gradient':
        this.entries += size
        return this.entries - size
      case 'integer':
        return index % 2
      case 'real':
        return 0.3
      case 'low':
      case 'high':
        return 0x1234567890
      case 'accumulate':
        return undefined
      case 'address':
      case 'sums':
      case 'choice':
        throw new TypeError(`an argument of kind ${argument.kind} is not a value of its own`)
    }
  }

  #tensor({ type = 'f32' }: Argument, length: number): Tensor {
    const tensor = this.#device.tensor(
      (typeof type === 'string' ? type : type[0]) satisfies ElementType,
      length,
    )
    this.#fill(tensor)
    return tensor
  }
}

/** Weights in panels. */
const PANELS: Argument = { kind: 'tensor', size: 'outputs * inputs' }

/** Paths that the sizes of an operation's arguments mention. */
function sizeFields({ words }: Operation): string[] {
  const paths = Object.values(words)
    .flatMap(({ kind, size = '' }) => [
      ...size.split(/ [*+] /),
      ...(kind === 'panels' ? ['outputs', 'inputs'] : []),
    ])
    .filter((path) => /^[a-z]/i.test(path))
  return [...new Set(paths)]
}

/** Sets a field by its path, `agentId.index` for instance. */
function setField(step: Fields, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  const owner = keys.reduce((fields, key) => (fields[key] ??= {}) as Fields, step)
  owner[last] = value
}
