/**
 * What random numbers are drawn for: the `purpose` of their key. Two purposes never share numbers.
 * The key's other parts are (seed, stream, step, index).
 */
export const PURPOSE = {
  /** Initial parameters: stream = network, step = tensor. */
  parameters: 1,
  /** Episode seeds while training: stream = environment, step = episode. */
  episodes: 2,
  /** Episode seeds of evaluations: stream = episode, step = iteration. */
  evaluation: 3,
  /** Order of the agents: step = iteration. */
  order: 4,
  /** Mini-batches: stream = network, step = running count. */
  shuffle: 5,
  /** Samples of an exported policy: stream = agent, step = samples drawn. */
  exported: 6,
  /** Actions: stream = environment, step = its step; the agent's number is added to the purpose. */
  actions: 0x10000,
} as const

/** A seed below 2^53 as the two 32-bit words that key the generator. */
export function splitSeed(seed: number): [low: number, high: number] {
  return [seed >>> 0, Math.floor(seed / 0x100000000)]
}
