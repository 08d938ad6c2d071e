import assert from 'node:assert/strict'
import test from 'node:test'
import { ValueNorm } from '../../src/learner/value-norm.js'
import { close } from '../reference/close.js'

const BETA = 0.99999

test('after t updates the moments are the weighted means of all batches', () => {
  const norm = new ValueNorm()
  const means = [3, -1, 4, 1, -5, 9, 2]
  const squares = [50, 20, 60, 10, 70, 90, 30]
  for (let t = 1; t <= means.length; t++) {
    norm.update(means[t - 1], squares[t - 1])
    // Batch s has weight (1 - beta) beta^(t - s); the weights sum to 1 - beta^t.
    const weights = means.slice(0, t).map((_, s) => (1 - BETA) * BETA ** (t - 1 - s))
    const total = Math.max(1 - BETA ** t, 1e-5)
    const average = (of: number[]) => weights.reduce((sum, w, s) => sum + w * of[s], 0) / total
    const { mean, deviation } = norm.moments()
    // 1 - beta^t is a difference of numbers near 1, so it is good to 1e-16 / 1e-5.
    close([mean], [average(means)], 1e-9, 'mean')
    close([deviation], [Math.sqrt(average(squares) - average(means) * average(means))], 1e-8, 'deviation')
  }
})

test('the first batch alone gives its own moments', () => {
  const norm = new ValueNorm()
  norm.update(2, 13)
  const { mean, deviation } = norm.moments()
  close([mean, deviation], [2, 3], 1e-9, 'moments')
})

test('the variance is at least 0.01, and before any batch the mean is 0', () => {
  const norm = new ValueNorm()
  assert.deepEqual(norm.moments(), { mean: 0, deviation: 0.1 })
  norm.update(5, 25)
  assert.equal(norm.moments().deviation, 0.1)
})

test('a restored normaliser continues from the saved state', () => {
  const [a, b] = [new ValueNorm(), new ValueNorm()]
  a.update(1, 4)
  b.restore(a.save())
  a.update(2, 9)
  b.update(2, 9)
  assert.deepEqual(b.save(), a.save())
  assert.deepEqual(b.moments(), a.moments())
})
