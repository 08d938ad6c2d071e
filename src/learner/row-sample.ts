import type { Device, Program } from '../devices/device.js'
import type { RowStep } from '../devices/steps.js'
import type { Tensor } from '../devices/tensor.js'
import type { PolicyInput } from './batch.js'
import type { BatchRows } from './fisher.js'

/**
 * Writes the numbers of the sampled rows to `out`: one row out of every `stride` consecutive rows whose weight is not 0. Rows
 * are ordered by agent, step and environment, so that the sample has its share of every part of the rollout; which row of
 * its group it takes varies from group to group, so that it has its share of every environment, however many there are.
 * @returns number of sampled rows, at least 1 where a row counts
 */
export function sampleRows(weight: ArrayLike<number>, rows: number, stride: number, out: Int32Array): number {
  let [counted, chosen, sampled] = [0, 0, 0]
  for (let r = 0; r < rows; r++) {
    if (weight[r] === 0) continue
    const [group, place] = [Math.floor(counted / stride), counted % stride]
    if (place === 0) chosen = mixed(group) % stride
    // A row before the group's chosen one is used in its place, in case the group ends early.
    if (place <= chosen) out[group] = r
    sampled = group + 1
    counted++
  }
  return sampled
}

/** Mixes the bits of a number of 32 bits (the finaliser of MurmurHash3). */
function mixed(n: number): number {
  let h = n | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A sample of a batch's rows, for passes that need no actions. */
export class RowSample {
  /** Greatest number of sampled rows. */
  readonly maxRows: number
  readonly input: PolicyInput
  /** [maxRows], 1: every sampled row counts. */
  readonly weight: Tensor
  readonly #device: Device
  readonly #counted: Tensor
  readonly #stride: number
  readonly #index: Tensor
  readonly #gather: Program

  /** @param stride number of counted rows for each sampled one */
  constructor(device: Device, batch: BatchRows, stride: number) {
    const maxRows = Math.ceil(batch.maxRows / stride)
    const { raw, agentIds, available } = batch.input
    const [index, steps] = [device.tensor('i32', maxRows), [] as RowStep[]]
    const gathered = (source: Tensor): Tensor => {
      const width = source.length / batch.maxRows
      const out = device.tensor(source.type, maxRows * width)
      steps.push({ op: 'gather', source, index, width, out })
      return out
    }
    this.maxRows = maxRows
    this.input = {
      raw: gathered(raw),
      agentIds: agentIds && gathered(agentIds),
      available: available && gathered(available),
    }
    this.weight = device.tensor('f32', maxRows)
    device.fill(this.weight, 1)
    this.#device = device
    this.#counted = batch.weight
    this.#stride = stride
    this.#index = index
    this.#gather = device.compile({ rows: steps }, maxRows)
  }

  /** Samples the first `rows` rows of the batch. @returns number of sampled rows */
  draw(rows: number): number {
    const index = new Int32Array(this.maxRows)
    const sampled = sampleRows(this.#device.read(this.#counted), rows, this.#stride, index)
    this.#device.write(this.#index, index)
    if (sampled > 0) this.#device.run(this.#gather, sampled)
    return sampled
  }
}
