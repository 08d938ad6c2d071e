import assert from 'node:assert/strict'
import test from 'node:test'
import type { PolicyUpdate } from '../../src/algorithms/agent-update.js'
import { learningRate } from '../../src/algorithms/learning-rate.js'
import { SequentialSchedule, type ScheduleParts } from '../../src/algorithms/schedules.js'
import type { Device } from '../../src/devices/device.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { close } from '../reference/close.js'
import { normals } from '../reference/dense.js'
import { DEVICES, tensorOf } from '../learner/setup.js'

const ROWS = 7
const ADVANTAGES = normals(ROWS, 1)
const VALID = Float32Array.of(1, 1, 0, 1, 1, 1, 1)
/** Rows in which each of three agents took part: some that count for one do not for another. */
const ACTIVE = [
  Float32Array.of(1, 1, 0, 1, 1, 1, 1),
  Float32Array.of(1, 0, 0, 1, 1, 1, 0),
  Float32Array.of(0, 1, 0, 1, 1, 0, 1),
]

/** Agents whose update does nothing but move the log-probabilities, and note the factor they were given. */
function turns(
  device: Device,
  order: readonly number[],
  options: Pick<ScheduleParts, 'advantageNorm' | 'factorRows'>,
) {
  const seen: Float32Array[] = []
  const ratios = ACTIVE.map((_, i) => normals(ROWS, 20 + i).map((v) => 0.3 * v))
  const updates = ACTIVE.map((active, i): PolicyUpdate => {
    const batch = new PolicyBatch(device, ROWS, {
      observations: device.tensor('f32', ROWS),
      actions: device.tensor('f32', ROWS),
      logProb: tensorOf(device, new Float32Array(ROWS)),
      weight: tensorOf(device, active),
    })
    const commit = () => {
      seen.push(device.read(batch.factor) as Float32Array)
      device.write(batch.newLogProb, ratios[i])
      return { entropy: i, klUsed: 0, rejectedSteps: 0, rejection: null }
    }
    return { agents: [i], batch, propose: () => null, commit }
  })
  const joint = tensorOf(device, ADVANTAGES)
  const schedule = new SequentialSchedule({
    device,
    updates,
    advantages: updates.map(() => joint),
    valid: tensorOf(device, VALID),
    budget: () => null,
    ...options,
  })
  const outcomes = schedule.run(order, 0)
  return { seen, outcomes, ratios: ratios.map((row) => row.map(Math.exp)) }
}

/** (A - mean) / (population s.d. + 1e-5), mean and s.d. over the rows that count. */
function standardised(values: ArrayLike<number>, counted: ArrayLike<number>): number[] {
  const kept = Array.from(values).filter((_, r) => counted[r] !== 0)
  const mean = kept.reduce((sum, v) => sum + v, 0) / kept.length
  const sd = Math.sqrt(kept.reduce((sum, v) => sum + (v - mean) ** 2, 0) / kept.length)
  return Array.from(values, (v) => (v - mean) / (sd + 1e-5))
}

// A factor is a product of three numbers near 1, each good to 2 ulp of f32 (6e-8), and an advantage below 4.
const BOUND = 2e-6

for (const { name: on, open } of DEVICES) {
  for (const advantageNorm of ['none', 'joint', 'agent'] as const) {
    test(`${on}: advantages standardised ${advantageNorm}: each agent sees them times the ratios of those before it`, async () => {
      const order = [2, 0, 1]
      const { seen, outcomes, ratios } = turns(await open(), order, { advantageNorm })
      const joint = advantageNorm === 'joint' ? standardised(ADVANTAGES, VALID) : [...ADVANTAGES]
      const product = new Array<number>(ROWS).fill(1)
      order.forEach((agent, turn) => {
        const active = ACTIVE[agent]
        const own = advantageNorm === 'agent' ? standardised(joint, active) : joint
        close(
          seen[turn],
          own.map((a, r) => a * product[r]),
          BOUND,
          `turn ${turn}`,
        )
        const spread = product.filter((_, r) => active[r] !== 0)
        const factorSpread = outcomes[turn].factorSpread!
        close(
          [factorSpread.min, factorSpread.max],
          [Math.min(...spread), Math.max(...spread)],
          BOUND,
          `spread of turn ${turn}`,
        )
        // An agent that did not act has no ratio.
        for (let r = 0; r < ROWS; r++) if (active[r] !== 0) product[r] *= ratios[agent][r]
      })
      assert.deepEqual(
        outcomes.map(({ agents, entropy }) => [agents, entropy]),
        order.map((agent) => [[agent], agent]),
      )
    })
  }

  test(`${on}: factorRows 'all' includes the ratios of inactive agents, as in HARL`, async () => {
    const { seen, ratios } = turns(await open(), [0, 1, 2], { advantageNorm: 'none', factorRows: 'all' })
    const want = ADVANTAGES.map((a, r) => a * ratios[0][r] * ratios[1][r])
    close(seen[2], want, BOUND, 'factor of the third agent')
  })

  test('a decaying learning rate falls linearly from its first value towards 0', () => {
    const rates = [0, 0.25, 0.5, 1].map((progress) => learningRate({ lr: 8, lrDecay: true }, progress))
    assert.deepEqual(rates, [8, 6, 4, 0])
    assert.equal(learningRate({ lr: 8, lrDecay: false }, 0.5), 8)
  })
}
