import assert from 'node:assert/strict'
import test from 'node:test'
import { TERMINATED, TRUNCATED } from '../../src/envs/contract.js'
import { TRUNCATION_MODES } from '../../src/kernels/layout.js'
import { readGolden, type GoldenArray } from './golden.js'
import { arena, f32, generator, kernels, u8 } from './harness.js'

interface Rollout {
  T: number
  E: number
  gamma: number
  lambda: number
  rewards: ArrayLike<number>
  values: ArrayLike<number>
  nextValues: ArrayLike<number>
  ends: ArrayLike<number>
}

function gae(
  rollout: Rollout,
  mode: (typeof TRUNCATION_MODES)[number],
): { advantages: number[]; returns: number[] } {
  const { T, E, gamma, lambda } = rollout
  const mark = arena.mark()
  const inputs = [f32(rollout.rewards), f32(rollout.values), f32(rollout.nextValues), u8(rollout.ends)]
  const [rewards, values, nextValues, ends] = inputs.map((view) => view.byteOffset) as [
    number,
    number,
    number,
    number,
  ]
  const advantages = f32(T * E)
  const returns = f32(T * E)
  kernels.gae(
    rewards,
    values,
    nextValues,
    ends,
    T,
    E,
    gamma,
    lambda,
    TRUNCATION_MODES.indexOf(mode),
    advantages.byteOffset,
    returns.byteOffset,
  )
  const result = { advantages: [...advantages], returns: [...returns] }
  arena.release(mark)
  return result
}

function assertClose(got: ArrayLike<number>, wanted: ArrayLike<number>, bound: number, name: string): void {
  assert.equal(got.length, wanted.length, name)
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i] - wanted[i])
    assert.ok(error <= bound, `${name}[${i}]: ${got[i]} is ${error} from ${wanted[i]}, bound ${bound}`)
  }
}

interface GaeFile {
  header: { hyper_parameters: { gamma: number; gae_lambda: number; T: number; E: number } }
  inputs: Record<
    'rewards' | 'value_preds' | 'next_value' | 'masks' | 'bad_masks' | 'final_values' | 'valuenorm_state',
    GoldenArray
  >
  harl: Record<string, GoldenArray>
  ref64: Record<string, GoldenArray>
  tolerance: Record<string, { suggest_atol: number }>
}

/** Rollout of the file, with normalised values of the critic converted to reward units. */
function rolloutOf(file: GaeFile, valuenorm: boolean): Rollout {
  const { gamma, gae_lambda: lambda, T, E } = file.header.hyper_parameters
  const { rewards, value_preds, next_value, masks, bad_masks, final_values, valuenorm_state } = file.inputs
  const [runningMean, runningSquare, debiasing] = valuenorm_state.data.map(Math.fround) as [
    number,
    number,
    number,
  ]
  const debias = Math.max(debiasing, 1e-5)
  const mean = runningMean / debias
  const deviation = Math.sqrt(Math.max(runningSquare / debias - mean * mean, 0.01))
  const inRewards = (v: number) => (valuenorm ? Math.fround(v) * deviation + mean : v)
  const rows = Array.from({ length: T * E }, (_, i) => i)
  const running = rows.map((i) => masks.data[i + E] === 1)
  const truncated = rows.map((i) => masks.data[i + E] === 0 && bad_masks.data[i + E] === 0)
  const following = [...value_preds.data.slice(E), ...next_value.data]
  return {
    T,
    E,
    gamma,
    lambda,
    rewards: rewards.data,
    values: value_preds.data.map(inRewards),
    nextValues: rows.map((i) => inRewards(truncated[i] ? final_values.data[i] : following[i])),
    ends: rows.map((i) => (running[i] ? 0 : truncated[i] ? TRUNCATED : TERMINATED)),
  }
}

for (const name of ['gae_returns.T12E3.s1.json', 'gae_returns.T12E3.s2.json']) {
  const file = readGolden<GaeFile>(name)
  for (const units of ['plain', 'valuenorm']) {
    const rollout = rolloutOf(file, units === 'valuenorm')
    const bound = (quantity: string) => file.tolerance[quantity].suggest_atol

    test(`${name} ${units}: HARL's returns with proper time limits (mode harl)`, () => {
      const { advantages, returns } = gae(rollout, 'harl')
      const quantity = `returns_proper_${units}`
      assertClose(returns, file.harl[quantity].data, bound(quantity), quantity)
      advantages.forEach((a, i) => {
        if (rollout.ends[i] === TRUNCATED) assert.equal(a, 0)
      })
    })

    test(`${name} ${units}: HARL's returns without proper time limits (mode terminate)`, () => {
      const quantity = `returns_not_proper_${units}`
      assertClose(gae(rollout, 'terminate').returns, file.harl[quantity].data, bound(quantity), quantity)
    })

    test(`${name} ${units}: textbook advantages and returns (mode bootstrap)`, () => {
      const { advantages, returns } = gae(rollout, 'bootstrap')
      // The file has no bound for its f64 textbook block, so HARL's bounds for the same data are used.
      const atol = bound(`returns_proper_${units}`)
      assertClose(returns, file.ref64[`textbook_${units}_returns`].data, atol, 'returns')
      assertClose(advantages, file.ref64[`textbook_${units}_advantages`].data, atol, 'advantages')
    })
  }
}

/** Rollout of random numbers in f32. About every seventh step is an end. */
function randomRollout(T: number, E: number, lambda: number): Rollout {
  const random = generator(T * 31 + E)
  const numbers = () => Float32Array.from({ length: T * E }, () => 2 * random() - 1)
  const ends = Uint8Array.from({ length: T * E }, () => Math.max(0, Math.floor(random() * 21) - 18))
  return { T, E, gamma: 0.97, lambda, rewards: numbers(), values: numbers(), nextValues: numbers(), ends }
}

test('lambda = 0 gives one-step errors; lambda = 1 with V(s_{t+1}) = next value gives discounted returns', () => {
  const one = randomRollout(40, 3, 0)
  gae(one, 'bootstrap').advantages.forEach((advantage, i) => {
    const next = one.ends[i] === TERMINATED ? 0 : one.nextValues[i]
    assert.equal(advantage, Math.fround(one.rewards[i] + one.gamma * next - one.values[i]))
  })

  const all = randomRollout(40, 3, 1)
  const { T, E, gamma } = all
  // Consistent next values, so that intermediate values cancel.
  const nextValues = Float32Array.from(all.nextValues)
  for (let i = 0; i < (T - 1) * E; i++) if (all.ends[i] === 0) nextValues[i] = all.values[i + E]!
  const { returns } = gae({ ...all, nextValues }, 'bootstrap')
  for (let i = 0; i < T * E; i++) {
    let wanted = 0
    let discount = 1
    for (let j = i; j < T * E; j += E) {
      wanted += discount * all.rewards[j]
      discount *= gamma
      if (all.ends[j] !== 0 || j + E >= T * E) {
        if (all.ends[j] !== TERMINATED) wanted += discount * nextValues[j]
        break
      }
    }
    // Results are O(10), rounded once to f32 from f64.
    assert.ok(Math.abs(returns[i] - wanted) < 2e-6, `${i}: ${returns[i]} and ${wanted}`)
  }
})

test('the next value of a terminated step is not read, and environments are independent', () => {
  const rollout = randomRollout(30, 4, 0.9)
  const poisoned = Float32Array.from(rollout.nextValues, (v, i) => (rollout.ends[i] === TERMINATED ? NaN : v))
  assert.ok(poisoned.some(Number.isNaN))
  const together = gae(rollout, 'bootstrap')
  assert.deepEqual(gae({ ...rollout, nextValues: poisoned }, 'bootstrap'), together)
  for (let e = 0; e < 4; e++) {
    const column = (x: ArrayLike<number>) => Array.from({ length: 30 }, (_, t) => x[t * 4 + e])
    const alone = gae(
      {
        ...rollout,
        E: 1,
        rewards: column(rollout.rewards),
        values: column(rollout.values),
        nextValues: column(rollout.nextValues),
        ends: column(rollout.ends),
      },
      'bootstrap',
    )
    assert.deepEqual(alone.advantages, column(together.advantages))
    assert.deepEqual(alone.returns, column(together.returns))
  }
})
