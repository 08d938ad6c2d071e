import assert from 'node:assert/strict'
import test from 'node:test'
import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import { actorSpec, criticSpec } from '../learner/setup.js'

test('parameters are in the order of the layers, without gaps, logStd before the head', () => {
  const spec = actorSpec({ size: 4, agentId: { index: 0, count: 2 }, layerNorm: true, hidden: [5, 3] }, 2)
  const { entries, size } = parameterLayout(spec)
  assert.deepEqual(
    entries.map(({ name, shape }) => `${name} ${shape.join('x')}`),
    [
      'input.norm.weight 6',
      'input.norm.bias 6',
      'hidden.0.weight 5x6',
      'hidden.0.bias 5',
      'hidden.0.norm.weight 5',
      'hidden.0.norm.bias 5',
      'hidden.1.weight 3x5',
      'hidden.1.bias 3',
      'hidden.1.norm.weight 3',
      'hidden.1.norm.bias 3',
      'logStd 2',
      'head.weight 2x3',
      'head.bias 2',
    ],
  )
  let next = 0
  for (const entry of entries) {
    assert.equal(entry.offset, next)
    assert.equal(
      entry.size,
      entry.shape.reduce((product, n) => product * n, 1),
    )
    next += entry.size
  }
  assert.equal(size, next)
})

test('a critic has no logStd, and without input LayerNorm the first layer comes first', () => {
  const layout = parameterLayout(criticSpec({ hidden: [5] }))
  assert.deepEqual(
    layout.entries.map(({ name }) => name),
    [
      'hidden.0.weight',
      'hidden.0.bias',
      'hidden.0.norm.weight',
      'hidden.0.norm.bias',
      'head.weight',
      'head.bias',
    ],
  )
  assert.equal(parameterEntry(layout, 'head.weight').offset, 5 * 3 + 15)
  assert.throws(() => parameterEntry(layout, 'logStd'), RangeError)
})
