import { splitSeed } from '../../kernels/index.js'
import type { FinishStep, RowStep, SetupStep } from '../steps.js'
import { isScratch, type ElementType, type Operand, type Tensor } from '../tensor.js'
import type { Argument } from './arguments.js'
import type { Operation } from './operation.js'
import { OPERATIONS, type OperationName } from './table.js'
import { BYTES } from '../elements.js'

const NAMES = Object.keys(OPERATIONS) as OperationName[]
/** Codes of operations. Code 0 ends a list. */
export const CODES = Object.fromEntries(NAMES.map((name, i) => [name, i + 1])) as Record<
  OperationName,
  number
>
export const END = 0

/** Step, or operation of the table that is not a step. */
export type Encodable = RowStep | TaskStep | InternalOperation
/** Step outside the pass over the rows, or the part of it that one task takes. */
export type TaskStep = (SetupStep | FinishStep) & { readonly first?: number; readonly last?: number }
type InternalOperation =
  | {
      readonly op: 'packTransposed' | 'packPlain'
      readonly weight: Tensor
      readonly outputs: number
      readonly inputs: number
      /** Address. */
      readonly packed: number
      readonly first?: number
      readonly last?: number
    }
  | { readonly op: 'clear'; readonly start: number; readonly length: number }
  | { readonly op: 'clearBlock'; readonly offset: number; readonly length: number }
  | { readonly op: 'reduce'; readonly first: number; readonly last: number; readonly out: number }

/** Addresses and indices that the words of a program refer to. */
export interface Places {
  /** Minimum number of rows of matrices. */
  readonly maxRows: number
  readonly address: (operand: Operand) => number
  /** Address of a packed copy of a weight [outputs, inputs]. */
  readonly packed: (
    pack: 'packTransposed' | 'packPlain',
    weight: Tensor,
    outputs: number,
    inputs: number,
  ) => number
  /** Names of the program's sums. */
  readonly sums: readonly string[]
  readonly accumulates: (step: Encodable) => boolean
}

/** Words of a step: code and arguments of its operation, in the order of the table. */
export function encodeStep(step: Encodable, places: Places): number[] {
  const words = argumentsOf(step).flatMap(([name, argument]) => encodeArgument(step, name, argument, places))
  return [CODES[step.op], ...words]
}

/** Matrices that a step reads or writes, with one row for every row of the batch. */
export function rowOperands(step: Encodable): Operand[] {
  return argumentsOf(step)
    .filter(([, { kind }]) => kind === 'rows')
    .map(([name, argument]) => valueOf(step, name, argument) as Operand | null)
    .filter((operand) => operand !== null)
}

/** Entries of the gradient that a step writes. */
export function gradientSpans(step: Encodable): { from: number; to: number }[] {
  return argumentsOf(step)
    .filter(([, { kind }]) => kind === 'gradient')
    .flatMap(([name, argument]) => {
      const from = valueOf(step, name, argument) as number | null
      return from === null ? [] : [{ from, to: from + sizeOf(step, argument) }]
    })
}

function argumentsOf(step: Encodable): [string, Argument][] {
  const { words }: Operation = OPERATIONS[step.op]
  return Object.entries(words)
}

function field(step: Encodable, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], step)
}

/** Value of an argument, or null if the step has none. @throws TypeError when a value is required */
function valueOf(step: Encodable, name: string, argument: Argument): unknown {
  const path = argument.field ?? name
  const value = field(step, path) ?? null
  if (value === null && argument.missing === undefined) throw new TypeError(`${step.op}: ${path} is missing`)
  return value
}

/**
 * Value of the argument's `size` for a step. A field that the step lacks counts as its word for an absent value, or as 0
 * without one.
 */
export function sizeOf(step: Encodable, { size = '1' }: Pick<Argument, 'size'>): number {
  const { words }: Operation = OPERATIONS[step.op]
  const factor = (text: string) =>
    /^\d/.test(text) ? Number(text) : ((field(step, text) as number | undefined) ?? words[text]?.missing ?? 0)
  const product = (text: string) => text.split(' * ').reduce((result, part) => result * factor(part), 1)
  return size.split(' + ').reduce((result, part) => result + product(part), 0)
}

function encodeArgument(step: Encodable, name: string, argument: Argument, places: Places): number[] {
  const value = argumentValue(step, name, argument, places)
  return argument.kind === 'real' ? realWords(value) : [value]
}

/** An address, an integer or, of the kind `real`, any number. @throws TypeError or RangeError for an operand that does not fit */
export function argumentValue(step: Encodable, name: string, argument: Argument, places: Places): number {
  const { kind, missing = 0 } = argument
  if (kind === 'accumulate') return places.accumulates(step) ? 1 : 0
  if (kind === 'sums') return places.sums.indexOf((field(step, 'sums') as string[])[0])
  const value = valueOf(step, name, argument)
  switch (kind) {
    case 'rows':
    case 'tensor':
      if (value === null) return missing
      expectShape(step, name, argument, value as Operand, places.maxRows)
      return places.address(value as Operand)
    case 'panels': {
      const [outputs, inputs] = argument.shape!.map((size) => sizeOf(step, { size }))
      return places.packed(argument.pack!, value as Tensor, outputs, inputs)
    }
    case 'real':
      return (value ?? missing) as number
    case 'low':
      return splitSeed(value as number)[0]
    case 'high':
      return splitSeed(value as number)[1]
    case 'bytes':
      return BYTES[(value as Tensor).type]
    case 'choice':
      return argument.choices!.indexOf(value as string)
    case 'gradient':
    case 'address':
    case 'integer':
    case 'chunk':
      return Number(value ?? missing)
  }
}

/** @throws TypeError for another element type, RangeError for a matrix or tensor that is too small */
function expectShape(
  step: Encodable,
  name: string,
  argument: Argument,
  operand: Operand,
  maxRows: number,
): void {
  const what = `${step.op}: ${argument.field ?? name}`
  const size = sizeOf(step, argument)
  const type: ElementType = isScratch(operand) ? 'f32' : operand.type
  const allowed = argument.like ? [(field(step, argument.like) as Tensor).type] : [argument.type!].flat()
  if (!allowed.includes(type)) throw new TypeError(`${what} is ${type}, must be ${allowed.join(' or ')}`)
  if (isScratch(operand)) {
    if (operand.width !== size)
      throw new RangeError(`${what} has ${operand.width} columns, must have ${size}`)
    return
  }
  const least = argument.kind === 'rows' ? size * maxRows : size
  if (operand.length < least)
    throw new RangeError(`${what} has ${operand.length} elements, must have at least ${least}`)
}

/** The two words of an f64. */
function realWords(value: number): number[] {
  return [...new Uint32Array(Float64Array.of(value).buffer)]
}
