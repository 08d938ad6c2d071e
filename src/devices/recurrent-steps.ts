import type { Operand, Tensor } from './tensor.js'

/** Matrices that a recurrent layer of `width` units keeps for its derivatives. */
export interface RecurrentKept {
  /** [rows, width]: the state as each row's step saw it. */
  readonly before: Operand
  /** [rows]: 1 where that is the state after the row before, 0 where the state was reset or a chunk begins. */
  readonly linked: Operand
  /** [rows, 4 width]: r, z, q, n of each row. */
  readonly gates: Operand
}

interface RecurrentLayer extends RecurrentKept {
  /** U, [3 width, width]: parts of r, z and n, one below another. */
  readonly weight: Tensor
  readonly width: number
  /** Number of consecutive rows that are the steps of one chunk of time. */
  readonly chunk: number
}

/**
 * Gated recurrent unit with torch's gates. s is the logistic function, h the state before the step, and x holds
 * W_r x + b_r, W_z x + b_z and W_n x + b_n of each row, side by side:
 *   r = s(x_r + U_r h + u_r),  z = s(x_z + U_z h + u_z),  q = U_n h + u_n,  n = tanh(x_n + r q),  h' = (1 - z) n + z h.
 */
export type RecurrentStep =
  /**
   * out = h' of every row. State matrices are [rows, (below + 1 + above) width], side by side for layers on top of one
   * another, of which the step's own is the one after `below` others.
   */
  | ({
      readonly op: 'gru'
      /** [rows, 3 width] */
      readonly x: Operand
      /** State matrix; a chunk begins with the state in its first row, other rows are not read. */
      readonly states: Operand
      /** [rows], not 0 where the state is reset to 0 before the row's step; null: nowhere. */
      readonly starts: Operand | null
      /** u, [3 width] */
      readonly bias: Tensor
      /** [rows, width] */
      readonly out: Operand
      /** State matrix that receives h' of every row, too. */
      readonly next: Operand | null
      readonly below: number
      readonly above: number
    } & RecurrentLayer)
  /** out = tangent of h'. The states that chunks begin with have none. */
  | ({
      readonly op: 'gruTangent'
      /** [rows, 3 width], tangent of x. */
      readonly dx: Operand
      /** [rows, 3 width], dU h + du; overwritten. */
      readonly product: Operand
      readonly out: Operand
    } & RecurrentLayer)
  /** Adjoint of `gru`, applied to g [rows, width], which is overwritten. */
  | ({
      readonly op: 'gruAdjoint'
      readonly g: Operand
      /** [rows, 3 width], adjoint of x. */
      readonly gx: Operand
      /** [rows, 3 width], adjoint of U h + u. */
      readonly product: Operand
    } & RecurrentLayer)
