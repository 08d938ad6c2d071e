import { ACTIVATIONS, type Activation } from '../../src/devices/steps.js'
import type { ActionSpace, Box } from '../../src/envs/contract.js'
import { parameterLayout } from '../../src/nn/layout.js'
import type { PolicySpec } from '../../src/learner/heads/head.js'
import { headFor } from '../../src/learner/heads/table.js'
import type { BundleOrigin } from '../../src/export/bundle.js'
import type { AgentPolicy } from '../../src/export/wasm.js'

/** Provenance of random policies. */
export const ORIGIN: BundleOrigin = {
  packageVersion: '0.1.0',
  environment: { id: 'mamujoco/HalfCheetah-2x3', obs: 'full', version: 'v4' },
  algorithm: 'hatrpo',
  seed: 3,
  steps: 8000,
  iteration: 2,
  evaluation: 1234.5,
}

/** Reproducible numbers for tests: a 32-bit linear congruential generator. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0
    for (let i = 0; i < 4; i++) this.uniform()
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return this.#state / 4294967296
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1))
  }

  /** f32 [n], uniform in (-scale, scale). */
  vector(n: number, scale: number): Float32Array {
    return Float32Array.from({ length: n }, () => (2 * this.uniform() - 1) * scale)
  }
}

export function box(size: number, low = -1, high = 1): Box {
  return {
    kind: 'box',
    size,
    low: new Float64Array(size).fill(low),
    high: new Float64Array(size).fill(high),
  }
}

export interface Shape {
  readonly observation: number
  readonly hidden: readonly number[]
  readonly action: number
  /** Numbers of choices, of a policy that chooses `action` times. */
  readonly sizes?: readonly number[]
  /** Whether the deviation depends on the state. */
  readonly dependent?: boolean
  readonly activation?: Activation
  readonly agentId?: { index: number; count: number } | null
  readonly standardise?: boolean
  readonly layerNorm?: boolean
  readonly recurrent?: { size: number; layers: number }
}

/** A policy of a given shape with random parameters of the size that trained ones have. */
export function randomPolicy(shape: Shape, random: Random, index = 0): AgentPolicy {
  const { observation, hidden, action, sizes, activation = 'relu', agentId = null } = shape
  const space: ActionSpace =
    sizes === undefined
      ? box(action)
      : sizes.length === 1
        ? { kind: 'discrete', n: sizes[0] }
        : { kind: 'multiDiscrete', sizes }
  const spec: PolicySpec = {
    input: {
      size: observation,
      agentId,
      standardise: shape.standardise ?? false,
      layerNorm: shape.layerNorm ?? true,
    },
    hidden,
    activation,
    ...(shape.recurrent && { recurrent: shape.recurrent }),
    head: headFor(space, { stdX: 1, stdY: 0.5, std: shape.dependent ? 'dependent' : 'independent' }),
  }
  return {
    agent: { index, id: `agent_${index}` },
    spec,
    parameters: random.vector(parameterLayout(spec).size, 0.7),
    action: space,
    provenance: { algorithm: 'hatrpo', seed: 1 },
  }
}

/** Shapes of every kind: all activations, 1 to 4 hidden layers, odd widths, every option of the input stage. */
export function* everyShape(random: Random, repeats: number): Generator<Shape> {
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const activation of ACTIVATIONS) {
      for (let options = 0; options < 8; options++) {
        const count = random.whole(1, 5)
        yield {
          observation: random.whole(1, 45),
          hidden: Array.from({ length: 1 + ((options + repeat) % 4) }, () => random.whole(1, 70)),
          action: random.whole(1, 20),
          activation,
          agentId: options & 1 ? { index: random.whole(0, count - 1), count } : null,
          standardise: (options & 2) !== 0,
          layerNorm: (options & 4) !== 0,
        }
      }
    }
  }
}
