import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../training/runs.js'
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

test('an iteration has the gain that its steps guarantee on 200 games', () =>
  seeds(200).forEach(checkImprovement))

test('Algorithm 1 ends at a Nash equilibrium on 300 games, and its return never falls', () => {
  const iterations = seeds(300).map(checkPolicyIteration)
  assert.ok(Math.max(...iterations) > 1000, 'games that take long are among them')
})

test('the figures match the code', (t) => {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const folder = temporaryDirectory(t)
  execFileSync(process.execPath, [join(root, 'dist/examples/theory/figures.js'), folder])
  const drawn = readdirSync(folder)
  const kept = join(root, 'examples/theory')
  assert.deepEqual(
    drawn.sort(),
    readdirSync(kept)
      .filter((file) => file.endsWith('.svg'))
      .sort(),
  )
  for (const file of drawn)
    assert.equal(readFileSync(join(folder, file), 'utf8'), readFileSync(join(kept, file), 'utf8'), file)
})
