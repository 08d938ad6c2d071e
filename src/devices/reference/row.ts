import type { Operand, Tensor } from '../tensor.js'
import { typed, vectors } from './memory.js'

/** One row of a running program. */
export interface Row {
  readonly index: number
  /** The row of a matrix [rows, width]. */
  of(operand: Operand, width: number): Float32Array
  /** Adds `values` to the entries of the gradient from `offset` on. */
  addGradient(offset: number, values: ArrayLike<number>): void
  addSum(name: string, value: number): void
}

/** Implementation of each kind of step on one row. */
export type RowSteps<Step extends { readonly op: string }> = {
  readonly [Op in Step['op']]: (step: Extract<Step, { op: Op }>, row: Row) => void
}

/** Vector of `length` parameters. @throws RangeError for another length */
export function vector(tensor: Tensor, length: number): Float32Array {
  const [values] = vectors(tensor)
  if (values.length !== length)
    throw new RangeError(`${values.length} parameters where ${length} are expected`)
  return values
}

/** Element of an i32 column. @throws RangeError if the column has no such row */
export function integer(tensor: Tensor, { index }: Row): number {
  const values = typed(tensor, 'i32')
  if (index >= values.length) throw new RangeError(`row ${index} of a column of ${values.length} elements`)
  return values[index]
}
