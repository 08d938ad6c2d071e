import type { Tensor } from '../devices/tensor.js'

/** LayerNorm's results: normalised rows [rows, width], and the reciprocal deviation of each row. */
export interface Norm {
  readonly xhat: Tensor
  readonly rstd: Tensor
}

/** Results of a forward pass that derivatives need. Matrices are [rows, width]. */
export interface Activations {
  /** The input stage's result, before its LayerNorm. */
  readonly input: Tensor
  readonly inputNorm: Norm | null
  /**
   * features[i] is the input of layer i; the last one is the input of the recurrent layers or, without them, of the
   * head.
   */
  readonly features: readonly Tensor[]
  /** Of each hidden layer: derivative of its activation, and its LayerNorm. */
  readonly derivatives: readonly Tensor[]
  readonly norms: readonly Norm[]
  /** Of the recurrent layers: their LayerNorm, and what enters the head. */
  readonly recurrent: { readonly norm: Norm; readonly features: Tensor } | null
}
