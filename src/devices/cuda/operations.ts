import type { ElementType } from '../tensor.js'
import type { Argument } from '../operations/arguments.js'
import type { Operation } from '../operations/operation.js'
import { OPERATIONS, type OperationName } from '../operations/table.js'

/** Argument of an operation as passed to the kernels, in 8 bytes. */
export interface Parameter {
  readonly name: string
  readonly kind: 'pointer' | 'integer' | 'real'
  /** Element type that it points to. */
  readonly type?: ElementType
  /** Name and description of the argument in the table of operations. */
  readonly argument: readonly [string, Argument]
}

/** Arguments that only devices with several threads and packed weights need. */
const ABSENT: readonly string[] = ['work', 'first', 'last']

/** Arguments of an operation in the order of the table. */
export function parametersOf(name: OperationName): Parameter[] {
  const { words }: Operation = OPERATIONS[name]
  return Object.entries(words)
    .filter(([argumentName]) => !ABSENT.includes(argumentName))
    .map((entry) => parameter(entry))
}

function parameter(argument: readonly [string, Argument]): Parameter {
  const [name, { kind, type = 'u8' }] = argument
  switch (kind) {
    case 'rows':
    case 'tensor':
      return { name, kind: 'pointer', type: [type].flat().at(-1)!, argument }
    case 'panels':
      return { name: 'weight', kind: 'pointer', type: 'f32', argument }
    case 'gradient':
      return { name: `${name}At`, kind: 'integer', argument }
    case 'real':
      return { name, kind: 'real', argument }
    default:
      return { name, kind: 'integer', argument }
  }
}

/** Operations on parameters and gradients, divided among blocks. */
const TASKS: readonly string[] = ['gaussianTable', 'foldTangent', 'unfoldGradient']

export const isTask = (name: string): boolean => TASKS.includes(name)
