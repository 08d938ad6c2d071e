import type { Operand, Tensor } from './tensor.js'

/** Matrices that a recurrent layer of `width` units stores for its derivatives. */
export interface RecurrentKept {
  /** [rows, width]: state before each row's step, after any reset. */
  readonly before: Operand
  /** [rows]: 1 if this state is that after the previous row, 0 after a reset and at the start of a chunk. */
  readonly linked: Operand
  /** [rows, 4 width]: r, z, q, n of each row. */
  readonly gates: Operand
}

interface RecurrentLayer extends RecurrentKept {
  /** U, [3 width, width]: the blocks of r, z and n, from top to bottom. */
  readonly weight: Tensor
  readonly width: number
  /** Number of consecutive rows that form one chunk of time. */
  readonly chunk: number
}

/**
 * Gated recurrent unit with torch's gates. s is the logistic function and h the state before the step. x contains
 * W_r x + b_r, W_z x + b_z and W_n x + b_n of each row, side by side:
 *   r = s(x_r + U_r h + u_r),  z = s(x_z + U_z h + u_z),  q = U_n h + u_n,  n = tanh(x_n + r q),  h' = (1 - z) n + z h.
 */
export type RecurrentStep =
  /**
   * out = h' of every row. State matrices are [rows, (below + 1 + above) width], with the states of stacked layers side by
   * side. The step's own state follows those of `below` other layers.
   */
  | ({
      readonly op: 'gru'
      /** [rows, 3 width] */
      readonly x: Operand
      /** State matrix. Each chunk starts from the state in its first row; other rows are not read. */
      readonly states: Operand
      /** [rows]: nonzero if the state is reset to 0 before the row's step. Null if it never is. */
      readonly starts: Operand | null
      /** u, [3 width] */
      readonly bias: Tensor
      /** [rows, width] */
      readonly out: Operand
      /** State matrix that also receives h' of every row. */
      readonly next: Operand | null
      readonly below: number
      readonly above: number
    } & RecurrentLayer)
  /** out = tangent of h'. The initial states of chunks are constant. */
  | ({
      readonly op: 'gruTangent'
      /** [rows, 3 width], tangent of x. */
      readonly dx: Operand
      /** [rows, 3 width], dU h + du. Overwritten. */
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
