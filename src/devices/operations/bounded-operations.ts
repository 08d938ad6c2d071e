import type { BoundedStep } from '../bounded-steps.js'
import { integer, optional, real, rows, tensor, type Argument } from './arguments.js'
import type { Operation } from './operation.js'

const low: Argument = { kind: 'low', field: 'seed' }
const high: Argument = { kind: 'high', field: 'seed' }

/** Operations of deterministic policies. */
export const BOUNDED_OPERATIONS = {
  squash: {
    words: {
      z: rows('size'),
      scale: tensor('size'),
      offset: tensor('size'),
      size: integer,
      action: rows('size'),
      derivative: optional(rows('size')),
    },
    file: 'bounded',
    calls: ['squash(z, scale, offset, size, action, derivative, from, to)'],
  },
  explore: {
    words: {
      mode: rows('size'),
      low: tensor('size'),
      high: tensor('size'),
      size: integer,
      noise: real,
      warmup: integer,
      seedLow: low,
      seedHigh: high,
      purpose: integer,
      streams: rows('1', 'i32'),
      steps: rows('1', 'i32'),
      action: rows('size'),
    },
    file: 'bounded',
    calls: [
      'explore(mode, low, high, size, noise, warmup, seedLow, seedHigh, purpose, streams, steps, action, from, to)',
    ],
  },
} as const satisfies Readonly<Record<BoundedStep['op'], Operation>>
