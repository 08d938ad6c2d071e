/** Activation functions, numbered as in assembly/activation.ts. */
export const ACTIVATIONS = ['relu', 'tanh', 'elu', 'gelu', 'silu', 'leakyRelu', 'selu', 'sigmoid'] as const
export type Activation = (typeof ACTIVATIONS)[number]
