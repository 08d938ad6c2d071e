import type { Activation } from './activation.js'

/** What happens to a raw vector before the first layer. */
export interface InputSpec {
  /** Length of the raw vector. */
  readonly size: number
  /** One-hot id appended to it, or null. */
  readonly agentId: { readonly index: number; readonly count: number } | null
  /** Subtract the vector's own mean and divide by its own standard deviation. */
  readonly standardise: boolean
  /** LayerNorm with learned gain and bias after that. */
  readonly layerNorm: boolean
}

/** sigma = y sigmoid(log_std / x), independent of the state. */
export interface GaussianHead {
  readonly kind: 'gaussian'
  readonly size: number
  readonly stdX: number
  readonly stdY: number
}

/** One number, a state's value. */
export interface ValueHead {
  readonly kind: 'value'
  readonly size: 1
}

/** A network: input stage, [Linear, activation, LayerNorm] per hidden layer, linear head. */
export interface NetworkSpec {
  readonly input: InputSpec
  readonly hidden: readonly number[]
  readonly activation: Activation
  readonly head: GaussianHead | ValueHead
}

export type GaussianActorSpec = NetworkSpec & { readonly head: GaussianHead }
export type CriticSpec = NetworkSpec & { readonly head: ValueHead }

/** Length of the vector that enters the first layer. */
export function inputWidth(input: InputSpec): number {
  return input.size + (input.agentId?.count ?? 0)
}
