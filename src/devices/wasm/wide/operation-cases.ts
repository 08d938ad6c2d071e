import type { ProgramSpec, RowStep, SetupStep } from '../../steps.js'
import type { ElementType, Tensor } from '../../tensor.js'
import type { WasmDevice } from '../device.js'
import { sizeOf } from '../../operations/encode.js'
import type { Argument } from '../../operations/arguments.js'
import type { Operation } from '../../operations/operation.js'
import { OPERATIONS } from '../../operations/table.js'

/** Maximum number of sums of one step. */
const SUMS = 4

/** Fields of a step by path. */
type Fields = Record<string, unknown>

/** Choices of the optional arguments that a step has. */
const PRESENT: readonly ((position: number) => boolean)[] = [
  () => true,
  () => false,
  (position) => position % 2 === 0,
  (position) => position % 2 === 1,
]

/** Operations of packing and reductions, recognised by arguments that are addresses. */
const isInternal = ([, { words }]: [string, Operation]) =>
  Object.values(words).some(({ kind }) => kind === 'address')
/** Setup steps, recognised by the lack of row operands. */
const isSetup = ([, { words }]: [string, Operation]) =>
  Object.values(words).every(({ kind }) => kind !== 'rows' && kind !== 'gradient')

/** Options for the steps of a program. */
export interface CaseOptions {
  /** Number of rows that the program holds. */
  readonly rows: number
  /** Number of consecutive rows that belong together. */
  readonly chunk: number
  /** Sizes, used by steps in turn. */
  readonly sizes: readonly number[]
  /** Number of steps of an operation with the same choice. */
  readonly steps: number
  /** Sets the values of an operand. */
  readonly fill: (tensor: Tensor) => void
}

/**
 * Program with steps of every operation of the table, in several sizes, with each choice, with and without optional
 * arguments.
 */
export function everyOperation(device: WasmDevice, options: CaseOptions): ProgramSpec {
  const operations = (Object.entries(OPERATIONS) as [string, Operation][]).filter(
    (entry) => !isInternal(entry),
  )
  const maker = new StepMaker(device, options)
  const makeSteps = (entry: [string, Operation]) =>
    variants(entry[1], options.steps).map((variant, index) => maker.make(entry, variant, index))
  const setup = operations.filter(isSetup).flatMap(makeSteps) as unknown as SetupStep[]
  const once = operations.filter((entry) => !isSetup(entry)).flatMap(makeSteps) as unknown as RowStep[]
  // A second step with the same entries of the gradient makes both accumulate; the last entry has no step at all.
  const again = once.filter((step, i) => i % 2 === 0 && !('sums' in step))
  return { setup, rows: [...once, ...again], gradient: device.tensor('f32', maker.entries + 1) }
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

/** Makes steps with separate operands. */
class StepMaker {
  /** Number of entries of the gradient so far. */
  entries = 0
  readonly #device: WasmDevice
  readonly #options: CaseOptions

  constructor(device: WasmDevice, options: CaseOptions) {
    this.#device = device
    this.#options = options
  }

  make([op, operation]: [string, Operation], { present, choice }: Variant, index: number): Fields {
    const words = Object.entries(operation.words)
    const sizes = sizeFields(operation)
    const { sizes: chosen } = this.#options
    const step: Fields = { op }
    const absent = (argument: Argument, position: number) =>
      argument.missing !== undefined && !present(position)
    const place = (name: string, value: unknown) => setField(step, name, value)
    // Sizes are set first, because the lengths of operands depend on them.
    sizes.forEach((path, i) => {
      const position = words.findIndex(([name, { field }]) => (field ?? name) === path)
      if (position < 0 || !absent(words[position][1], position))
        place(path, chosen[(index * (i + 1) + i) % chosen.length])
    })
    words.forEach(([name, argument], position) => {
      const path = argument.field ?? name
      if (absent(argument, position) || sizes.includes(path) || argument.kind === 'bytes') return
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
        return this.#tensor(argument, size * this.#options.rows)
      case 'tensor':
        return this.#tensor(argument, size)
      case 'panels':
        return this.#tensor(PANELS, sizeOf(step as never, { size: argument.shape!.join(' * ') }))
      case 'gradient':
        this.entries += size
        return this.entries - size
      case 'chunk':
        return this.#options.chunk
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
      case 'bytes':
        throw new TypeError(`an argument of kind ${argument.kind} is not a value of its own`)
    }
  }

  #tensor({ type = 'f32' }: Argument, length: number): Tensor {
    const tensor = this.#device.tensor(
      (typeof type === 'string' ? type : type[0]) satisfies ElementType,
      length,
    )
    this.#options.fill(tensor)
    return tensor
  }
}

/** Weights in panels. */
const PANELS: Argument = { kind: 'tensor', type: 'f32' }

/** Paths that the sizes of an operation's arguments mention. */
function sizeFields({ words }: Operation): string[] {
  const paths = Object.values(words)
    .flatMap(({ size = '', shape = [] }) => [
      ...size.split(/ [*+] /),
      ...shape.flatMap((part) => part.split(' * ')),
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
