/** Checks of the device beyond the device suite, for its simulation and for a GPU. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkLearnerFile } from '../../../scripts/golden/kinds.js'
import { close } from '../../reference/close.js'
import { fixture, tinyConfig, trained } from '../../training/runs.js'

const GOLDEN = fileURLToPath(new URL('../../../../test/golden/harl/', import.meta.url))

/** HARL's numbers within the bounds that the files suggest. */
export async function checkGoldenFiles(): Promise<void> {
  for (const name of readdirSync(GOLDEN)) {
    for (const way of name.includes('hatrpo')
      ? (['layerwise', 'jacobian'] as const)
      : (['chosen'] as const)) {
      const { comparisons } = await checkLearnerFile(GOLDEN + name, 'cuda', way)
      assert.ok(comparisons.length > 0)
      for (const { quantity, maxAbs, bound, suggested } of comparisons) {
        assert.equal(bound, suggested, `${name}, ${quantity}: no bound of our own`)
        assert.ok(maxAbs <= bound, `${name}, ${way}, ${quantity}: ${maxAbs} > ${bound}`)
      }
    }
  }
}

/** Numbers of a record, in the order of its keys. */
function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbers) : []
}

/** Methods that are trained, with their settings. */
export const METHODS = [['hatrpo'], ['happo', 'clipped.epochs=2', 'clipped.miniBatches=2']] as const

/**
 * A short training takes the first step of the default device, and two trainings give the same bits.
 * @param between done between the two trainings
 */
export async function checkTraining(
  t: TestContext,
  [algo, ...set]: readonly string[],
  between = () => {},
): Promise<void> {
  // Terminations, truncations and an agent that leaves.
  const config = (device: string, iterations: number) =>
    tinyConfig({ id: fixture('rough') }, iterations, `algo=${algo}`, ...set, `device=${device}`)
  const want = await trained(t, config('wasm', 1))
  const one = await trained(t, config('cuda', 2))
  between()
  const two = await trained(t, config('cuda', 2), { workers: 1 })
  const [expected, found] = [want, one].map(({ records: [{ agents, critic }] }) =>
    numbers([agents.map((agent) => ({ ...agent, cgResidual: null })), critic]),
  )
  assert.ok(expected.length >= 20)
  // Ten products of conjugate gradients amplify f32's rounding of 6e-8 by the condition of the Fisher matrix.
  close(found, expected, (i) => 1e-3 * Math.abs(expected[i]) + 1e-6, 'metrics of the first iteration')
  assert.equal(two.parametersSha256, one.parametersSha256, 'the same bits again')
}
