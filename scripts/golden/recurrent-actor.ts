import { z } from 'zod'
import type { Device } from '../../src/devices/device.js'
import { weightedCase, actorInputs } from './actor-batch.js'
import type { Computed } from './compare.js'
import type { Derive } from './derivatives.js'
import { float32, goldenArray, goldenParameter, readAs, type Fixture, type GoldenArray } from './fixture.js'
import { trustRegionKeys } from './keys.js'
import { actorKeys } from './networks.js'
import { PolicyProbe } from './policy-probe.js'
import { checkStep } from './trust-region.js'

const chunks = z.object({
  header: z.object({ dims: z.object({ chunk_length: z.int().positive(), chunks: z.int().positive() }) }),
})

const schema = z.object({
  header: z.object({
    params: z.array(goldenParameter),
    hyper_parameters: z.object({
      ...actorKeys,
      ...trustRegionKeys,
      recurrent_n: z.int().positive(),
      data_chunk_length: z.int().positive(),
    }),
  }),
  inputs: z.object({ ...actorInputs, v: goldenArray, rnn_states: goldenArray, masks: goldenArray }),
})

/** One trust-region step of a recurrent Gaussian actor, whose rows are in the order of `byChunk`. */
export function checkRecurrentActor(fixture: Fixture, device: Device, derive: Derive): Computed {
  const { header, inputs } = readAs(fixture, schema)
  const keys = header.hyper_parameters
  const chunk = keys.data_chunk_length
  const rows = inputs.obs.shape[0] ?? 0
  const size = keys.hidden_sizes.at(-1)!
  const recurrent = { size, layers: keys.recurrent_n }
  const states = firstRows(inputs.rnn_states, rows / chunk, chunk, keys.recurrent_n * size)
  const starts = float32('masks', inputs.masks, rows, 1).map((mask) => 1 - mask)
  const actor = weightedCase(device, keys, header.params, inputs, derive, {
    recurrent,
    chunk,
    states,
    starts,
  })
  const { batch, spec } = actor
  const actions = float32('actions', inputs.actions, rows, spec.head.size)
  const sequence = batch.input.sequence && { ...batch.input.sequence, chunk }
  const probe = new PolicyProbe(device, spec, rows, { ...batch.input, sequence }, actions)
  const { mean, std, logProbs, entropy } = probe.at(inputs.params.data)
  const step = checkStep(fixture, device, keys, actor, inputs.v, probe)
  const endToEnd = new Map(step.endToEnd)
  endToEnd.set('mean', mean).set('std', std.slice(0, spec.head.size)).set('log_probs', logProbs)
  // The entropy does not depend on the state: over all rows and over the active ones it is the same.
  endToEnd.set('entropy_active_rows', entropy)
  return { ...step, endToEnd }
}

/** A matrix of `rows` rows of `width` that has the given rows where chunks begin. */
function firstRows(given: GoldenArray, count: number, chunk: number, width: number): Float32Array {
  const { data, shape } = given
  float32('rnn_states', given, count, ...shape.slice(1))
  const states = new Float32Array(count * chunk * width)
  for (let c = 0; c < count; c++)
    states.set(data.slice(c * width, (c + 1) * width).map(Math.fround), c * chunk * width)
  return states
}

/**
 * The file with consecutive rows of each chunk. Files are ordered by time, then by chunk: row t C + c becomes c L + t.
 * Files of other kinds are unchanged.
 */
export function byChunk(fixture: Fixture): Fixture {
  const found = chunks.safeParse(fixture)
  if (!found.success) return fixture
  const { chunk_length: length, chunks: count } = found.data.header.dims
  const reorder = (value: unknown): unknown => {
    const array = goldenArray.safeParse(value)
    if (!array.success || array.data.shape[0] !== length * count) return value
    const { shape, data } = array.data
    const width = data.length / (length * count)
    const rows = Array.from(
      { length: length * count },
      (_, r) => (r % length) * count + Math.floor(r / length),
    )
    return { shape, data: rows.flatMap((row) => data.slice(row * width, (row + 1) * width)) }
  }
  const block = (values: Record<string, unknown> | undefined) =>
    values && Object.fromEntries(Object.entries(values).map(([name, value]) => [name, reorder(value)]))
  return {
    ...fixture,
    inputs: block(fixture.inputs)!,
    harl: block(fixture.harl),
    ref64: block(fixture.ref64),
  }
}
