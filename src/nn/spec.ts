import type { Activation } from '../devices/steps.js'

/** Treatment of a raw vector before the first layer. */
export interface InputSpec {
  /** Length of the raw vector. */
  readonly size: number
  /**
   * One-hot id of `count` entries appended to it, or null. `index` is the agent's own; null where it differs by row, as
   * in a network that agents share.
   */
  readonly agentId: { readonly index: number | null; readonly count: number } | null
  /** Subtract the vector's own mean and divide by its own standard deviation. */
  readonly standardise: boolean
  /** LayerNorm with learned gain and bias after that. */
  readonly layerNorm: boolean
}

/** Parameter vector of a head besides its linear layer. */
export interface HeadVector {
  readonly name: string
  readonly size: number
  /** Initial value of every entry. */
  readonly initial: number
}

/** Linear layer at the end of a network, and the further parameters of the distribution or value. */
export interface HeadSpec {
  readonly kind: string
  /** Number of outputs. */
  readonly size: number
  /** In the flat layout they precede the linear layer. */
  readonly vectors: readonly HeadVector[]
  /** Initial biases of the linear layer, [size]; zeros where absent. */
  readonly bias?: readonly number[]
}

/** Recurrent layers on top of one another: gated recurrent units of `size` each. */
export interface RecurrentSpec {
  readonly size: number
  readonly layers: number
}

/**
 * A network: input stage, [Linear, activation, LayerNorm] per hidden layer, optional recurrent layers with a LayerNorm,
 * linear head.
 */
export interface NetworkSpec<Head extends HeadSpec = HeadSpec> {
  readonly input: InputSpec
  readonly hidden: readonly number[]
  readonly activation: Activation
  /** Absent or null in a feed-forward network. */
  readonly recurrent?: RecurrentSpec | null
  readonly head: Head
}

/** Head of a critic: one number, a state's value. */
export const VALUE_HEAD = { kind: 'value', size: 1, vectors: [] } as const satisfies HeadSpec

/** Length of the vector that enters the first layer. */
export function inputWidth(input: InputSpec): number {
  return input.size + (input.agentId?.count ?? 0)
}

/** Length of the state that a network carries from row to row; 0 for a feed-forward one. */
export function stateWidth({ recurrent }: Pick<NetworkSpec, 'recurrent'>): number {
  return recurrent ? recurrent.size * recurrent.layers : 0
}

/** Length of the vector that enters the head. */
export function headInputs({ input, hidden, recurrent }: NetworkSpec): number {
  return recurrent?.size ?? hidden.at(-1) ?? inputWidth(input)
}
