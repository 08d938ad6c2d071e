/** Of networks without recurrent layers. */
const recurrent = { gruLayers: 0, gruSize: 64, chunk: 10 } as const

/**
 * Keys that configurations did not always have, with the value that means what was computed before there were any. A
 * configuration without such a key has this value, and one with it has the hash of a configuration without the key.
 */
export const LATER = {
  actor: { sharing: 'own', std: 'independent', ...recurrent },
  critic: { input: 'default', sharing: 'default', ...recurrent },
  trustRegion: { fisherStride: 1, preconditioner: 'none', preconditionerAge: 1 },
  opponents: { from: 'none', learner: '', every: 10, pool: 10 },
  allocation: { rescore: 'lazy', min: 0, max: 4 },
  /** HARL's values for all tasks; its warm-up of 10,000 steps is shared by 10 environments. */
  offPolicy: {
    lr: 5e-4,
    batchSize: 1000,
    bufferSize: 1_000_000,
    warmup: 1000,
    updatesPerStep: 1,
    nStep: 1,
    polyak: 0.005,
    noise: 0.1,
  },
} as const
