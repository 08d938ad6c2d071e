import assert from 'node:assert/strict'
import test from 'node:test'
import {
  checkEquation9,
  checkEvaluation,
  checkImprovement,
  checkLemma1,
  checkLemma2,
  checkPolicyIteration,
  checkSteps,
} from './theory-checks.js'

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed)

test('the statements about one joint policy hold on 400 games', () => {
  for (const seed of seeds(400)) {
    checkEvaluation(seed)
    checkLemma1(seed)
    checkEquation9(seed)
    checkSteps(seed)
  }
})

test('Lemma 2 holds for 5 pairs of joint policies on each of 1000 games', () => {
  assert.ok(seeds(1000).filter(checkLemma2).length > 250)
})

test('an iteration gains what its steps promise on 200 games', () => seeds(200).forEach(checkImprovement))

test('Algorithm 1 ends at a Nash equilibrium on 300 games, and its return never falls', () => {
  const iterations = seeds(300).map(checkPolicyIteration)
  assert.ok(Math.max(...iterations) > 1000, 'games that take long are among them')
})
