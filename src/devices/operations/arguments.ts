import type { ElementType } from '../tensor.js'

/**
 * Source of an argument: the field of the step with the same name, unless `field` gives a path (`agentId.index`). `size`
 * is a sum of products of numbers and paths (`4 * size`, `size + agentId.count`).
 */
export interface Argument {
  readonly kind:
    | 'rows'
    | 'tensor'
    | 'panels'
    | 'gradient'
    | 'accumulate'
    | 'sums'
    | 'address'
    | 'integer'
    | 'chunk'
    | 'low'
    | 'high'
    | 'real'
    | 'choice'
    | 'bytes'
  readonly field?: string
  /** Number of columns of a matrix, elements of a tensor or entries of a gradient. */
  readonly size?: string
  readonly type?: ElementType | readonly ElementType[]
  /** Field with the same element type, instead of `type`. */
  readonly like?: string
  /** Operation that packs the weights. */
  readonly pack?: 'packTransposed' | 'packPlain'
  /** Sizes of the weights that are packed, written as `size` is. */
  readonly shape?: readonly [outputs: string, inputs: string]
  readonly choices?: readonly string[]
  /** Word for an absent or null value. Without it, such a value is an error. */
  readonly missing?: number
}

/** Matrix of `size` columns, with one row for every row of the batch. */
export const rows = (size: string, type: ElementType = 'f32'): Argument => ({ kind: 'rows', size, type })
/** Tensor of at least `size` elements that all rows share. */
export const tensor = (size: string, type: ElementType = 'f32'): Argument => ({ kind: 'tensor', size, type })
/** Packed copy of a weight [outputs, inputs], for the product x w' or gy w. */
export const panels = (
  pack: 'packTransposed' | 'packPlain',
  outputs = 'outputs',
  inputs = 'inputs',
): Argument => ({ kind: 'panels', field: 'weight', pack, shape: [outputs, inputs] })
/** Entries of the block's gradient, starting at the offset given by the step. */
export const gradient = (size: string): Argument => ({ kind: 'gradient', size })
/** Whether the step adds its gradients to those of the block, because other steps write the same entries. */
export const accumulate: Argument = { kind: 'accumulate' }
/** Sums of the block, starting at the first sum of the step. */
export const sums: Argument = { kind: 'sums' }
export const address: Argument = { kind: 'address' }
export const integer: Argument = { kind: 'integer' }
/** Number of consecutive rows that belong together. */
export const chunk: Argument = { kind: 'chunk' }
export const real: Argument = { kind: 'real' }
/** Argument of another field and, optionally, with a word for an absent value. */
export const at = (field: string, argument: Argument): Argument => ({ ...argument, field })
export const optional = (argument: Argument, missing = 0): Argument => ({ ...argument, missing })

/** Position of `count` columns in a matrix of `before + count + after`. */
export const columns = { before: integer, count: integer, after: integer }

/** The argument with any element type that rows can be moved in. */
export const anyElement = (argument: Argument): Argument => ({ ...argument, type: ['f32', 'i32', 'u8'] })
/** Bytes per element of another field. */
export const elementBytes = (field: string): Argument => ({ kind: 'bytes', field })
/** The argument with another field's element type. */
export const like = (field: string, argument: Argument): Argument => ({ ...argument, like: field })
