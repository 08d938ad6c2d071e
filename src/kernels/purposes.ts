/**
 * Purposes of random numbers, one part of their key. Two purposes never share numbers.
 * The other parts of the key are (seed, stream, step, index).
 */
export const PURPOSE = {
  /** Initial parameters: stream = network, step = tensor. */
  parameters: 1,
  /** Episode seeds during training: stream = environment, step = episode. */
  episodes: 2,
  /** Episode seeds of evaluations: stream = episode, step = iteration. */
  evaluation: 3,
  /** Order of the agents: step = iteration. */
  order: 4,
  /** Mini-batches: stream = network, step = running count. */
  shuffle: 5,
  /** Samples of an exported policy: stream = agent, step = number of samples drawn before. */
  exported: 6,
  /** Transitions drawn from a replay: step = number of the draw. */
  replay: 11,
  /** Opponents drawn from a pool: step = iteration. */
  opponents: 12,
  /** Runs drawn for an interval of a statistic. */
  bootstrap: 13,
  /** Actions: stream = environment, step = its step; the index of the agent is added to the purpose. */
  actions: 0x10000,
} as const

/** Two 32-bit words, the key of the generator, for a seed below 2^53. */
export function splitSeed(seed: number): [low: number, high: number] {
  return [seed >>> 0, Math.floor(seed / 0x100000000)]
}
