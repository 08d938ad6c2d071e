import assert from 'node:assert/strict'
import test from 'node:test'
import { close } from '../reference/close.js'
import { fixture, tinyConfig, trained } from './runs.js'

/** Terminations, truncations and an agent that leaves. */
const env = { id: fixture('rough') }

/** Numbers of a record, in the order of its keys. */
function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbers) : []
}

const algorithms = {
  hatrpo: ['algo=hatrpo'],
  happo: ['algo=happo', 'clipped.epochs=2', 'clipped.miniBatches=2', 'critic.miniBatches=3'],
}

for (const [name, set] of Object.entries(algorithms)) {
  test(`${name} on the reference device takes the steps of the default device`, async (t) => {
    const [want, got] = await Promise.all(
      ['wasm', 'reference'].map((device) => trained(t, tinyConfig(env, 1, ...set, `device=${device}`))),
    )
    // The residual that conjugate gradients leave is their own rounding, amplified: no two devices have the same.
    const [expected, found] = [want, got].map(({ records: [{ agents, critic }] }) =>
      numbers([agents.map((agent) => ({ ...agent, cgResidual: null })), critic]),
    )
    assert.ok(expected.length >= 20)
    // Ten products of conjugate gradients amplify f32's rounding of 6e-8 by the condition of the Fisher matrix.
    close(found, expected, (i) => 1e-3 * Math.abs(expected[i]) + 1e-6, 'metrics of the first iteration')
  })

  test(`${name} on the reference device gives the same bits with 1 and 2 workers`, async (t) => {
    const config = tinyConfig(env, 3, ...set, 'device=reference')
    const [one, two] = [await trained(t, config, { workers: 1 }), await trained(t, config, { workers: 2 })]
    assert.equal(one.records.length, 3)
    assert.equal(one.parametersSha256, two.parametersSha256)
  })
}
