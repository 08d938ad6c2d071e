/** Checks beyond the device suite, for the simulation and for a GPU. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkLearnerFile } from '../../../scripts/golden/kinds.js'
import type { Comparison } from '../../../scripts/golden/report.js'
import { close } from '../../reference/close.js'
import { fixture, tinyConfig, trained } from '../../training/runs.js'

const GOLDEN = fileURLToPath(new URL('../../../../test/golden/harl/', import.meta.url))

/** Bound of a quantity of a golden file. */
type Bound = (comparison: Comparison, file: string) => number

/** Checks HARL's numbers within the bounds suggested by the files, or others. */
export async function checkGoldenFiles(
  device: string,
  boundOf: Bound = ({ suggested }) => suggested,
): Promise<void> {
  for (const name of readdirSync(GOLDEN)) {
    for (const way of name.includes('hatrpo')
      ? (['layerwise', 'jacobian'] as const)
      : (['chosen'] as const)) {
      const { comparisons } = await checkLearnerFile(GOLDEN + name, device, way)
      assert.ok(comparisons.length > 0)
      for (const comparison of comparisons) {
        const { quantity, maxAbs, bound, suggested } = comparison
        assert.equal(bound, suggested, `${name}, ${quantity}: no bound of our own`)
        const limit = boundOf(comparison, name)
        assert.ok(maxAbs <= limit, `${name}, ${way}, ${quantity}: ${maxAbs} > ${limit}`)
      }
    }
  }
}

/** Quantities that no matrix product affects. Their bounds are those of the files. */
const WITHOUT_PRODUCTS = /^ref64\.|advantages$|returns|valuenorm|^(new_)?std$|length$|accepted$|fraction$/
/** Means over rows of terms of order 1 that cancel. */
const LOSSES = /(^|\.)(loss|policy_loss)$/
/** Adam's and the trust region's steps are a small part of the parameters. */
const PARAMETERS = /params$/
/** In these epochs a ReLU of the first layer is on the other side of its kink, so the gradient of its weights jumps. */
const KINKS = { file: 'critic_update.warm_valuenorm_stale.s1.json', quantity: /^epochs\.[34]\.clipped_grad$/ }

/**
 * Relative rounding with TF32 factors. A number depends on at most 16 successive products (forward, tangent and adjoint
 * through up to four layers), each with two factors rounded by 2^-11.
 */
export const TF32_BOUND = 32 * 2 ** -11

/** Bounds of `cuda:tf32`, relative to the largest number of a quantity. */
export const tf32Bound: Bound = ({ quantity, suggested, size }, file) => {
  if (size === undefined || WITHOUT_PRODUCTS.test(quantity)) return suggested
  if (file === KINKS.file && KINKS.quantity.test(quantity)) return size
  const of = LOSSES.test(quantity) ? Math.max(1, size) : size
  return suggested + (PARAMETERS.test(quantity) ? 2 ** -10 : TF32_BOUND) * of
}

/** Numbers of a record, in the order of its keys. */
function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbers) : []
}

/** Methods to train, with their settings. */
export const METHODS = [['hatrpo'], ['happo', 'clipped.epochs=2', 'clipped.miniBatches=2']] as const

/** Ten products of conjugate gradients amplify f32's rounding of 6e-8 by the condition of the Fisher matrix. */
const TRAINING_BOUND = 1e-3

/**
 * Checks that a short training takes the first step of the default device, and that two trainings give the same bits.
 * @param options.between called between the two trainings
 * @param options.bound maximum relative difference of metrics
 */
export async function checkTraining(
  t: TestContext,
  [algo, ...set]: readonly string[],
  { between = () => {}, device = 'cuda', bound = TRAINING_BOUND } = {},
): Promise<void> {
  // Terminations, truncations and an agent that leaves.
  const config = (name: string, iterations: number) =>
    tinyConfig({ id: fixture('rough') }, iterations, `algo=${algo}`, ...set, `device=${name}`)
  const want = await trained(t, config('wasm', 1))
  const one = await trained(t, config(device, 2))
  between()
  const two = await trained(t, config(device, 2), { workers: 1 })
  const [expected, found] = [want, one].map(({ records: [{ agents, critic }] }) =>
    numbers([agents.map((agent) => ({ ...agent, cgResidual: null })), critic]),
  )
  assert.ok(expected.length >= 20)
  close(
    found,
    expected,
    (i) => bound * Math.abs(expected[i]) + bound / 1000,
    'metrics of the first iteration',
  )
  assert.equal(two.parametersSha256, one.parametersSha256, 'the same bits again')
}
