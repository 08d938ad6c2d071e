import type { BoundedStep } from '../bounded-steps.js'
import { explore, squash, squashSlope } from './bounded.js'
import { integer, vector, type RowSteps } from './row.js'

/** Steps of deterministic actions in a box, on one row. */
export const BOUNDED_STEPS: RowSteps<BoundedStep> = {
  squash({ z, scale, offset, size, action, derivative }, row) {
    const input = Array.from(row.of(z, size))
    const [factor, shift] = [vector(scale, size), vector(offset, size)]
    if (derivative) row.of(derivative, size).set(squashSlope(input, factor))
    row.of(action, size).set(squash(input, factor, shift))
  },

  explore({ mode, low, high, size, noise, warmup, seed, purpose, streams, steps, action }, row) {
    const [least, most] = [vector(low, size), vector(high, size)]
    const key = { seed, purpose, stream: integer(streams, row), step: integer(steps, row) }
    row.of(action, size).set(explore(row.of(mode, size), least, most, { noise, warmup }, key))
  },
}
