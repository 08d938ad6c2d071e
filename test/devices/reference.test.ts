import assert from 'node:assert/strict'
import test from 'node:test'
import { ACTIVATE, DERIVATIVE, erf } from '../../src/devices/reference/activation.js'
import { ReferenceDevice } from '../../src/devices/reference/device.js'
import { deviation, gaussianKl, isClipped, logProb, surrogate } from '../../src/devices/reference/gaussian.js'
import { inputStage, layerNorm, linear, linearAdjoint } from '../../src/devices/reference/layers.js'
import { allocate } from '../../src/devices/tensor.js'
import { normal, philox } from '../../src/devices/reference/random.js'
import { huber, valueLoss } from '../../src/devices/reference/value.js'
import { ACTIVATIONS, type RowStep } from '../../src/devices/steps.js'
import { scratch } from '../../src/devices/tensor.js'
import { close } from '../reference/close.js'
import { directional, moments } from '../reference/dense.js'
import { deviceSuite } from './suite.js'

test('device reference', (t) =>
  deviceSuite(t, async () => ({
    device: new ReferenceDevice(),
    accuracy: 'bits',
    array: allocate,
    close: async () => {},
  })))

// Functions used as references for other devices and kernels, tested against published values and hand calculations.

test('erf and the activations have their tabulated values', () => {
  // Abramowitz & Stegun, Table 7.1.
  const table = [
    [0, 0],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [2, 0.995322265],
    [3, 0.9999779095],
  ]
  for (const [x, value] of table) {
    close([erf(x), erf(-x)], [value, -value], 6e-11, `erf(${x})`)
  }
  assert.equal(erf(7), 1)
  assert.ok(Number.isNaN(erf(NaN)))
  // torch.nn.functional of 1 and -1, in f64.
  const torch = {
    relu: [1, 0],
    tanh: [0.7615941559557649, -0.7615941559557649],
    elu: [1, -0.6321205588285577],
    gelu: [0.8413447460685429, -0.15865525393145707],
    silu: [0.7310585786300049, -0.2689414213699951],
    leakyRelu: [1, -0.01],
    selu: [1.0507009873554805, -1.1113307378125625],
    sigmoid: [0.7310585786300049, 0.2689414213699951],
  }
  for (const kind of ACTIVATIONS) {
    close([1, -1].map(ACTIVATE[kind]), torch[kind], 1e-14, kind)
    for (const z of [-3, -0.4, 0.3, 2.6]) {
      const [slope] = directional((t) => [ACTIVATE[kind](z + t)], 1e-3)
      close([DERIVATIVE[kind](z)], [slope], 1e-11, `${kind}'(${z})`)
    }
  }
  const atKink = { relu: 0, elu: 1, leakyRelu: 0.01, selu: 1.0507009873554805 * 1.6732632423543772 }
  for (const [kind, slope] of Object.entries(atKink) as [keyof typeof atKink, number][])
    assert.equal(DERIVATIVE[kind](0), slope, `${kind}' from the left`)
})

test('Philox4x32-10 gives the known answers of Random123', () => {
  const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ')
  assert.equal(hex(philox([0, 0, 0, 0], [0, 0])), '6627e8d5 e169c58d bc57ac4c 9b00dbd8')
  const ones = 0xffffffff
  assert.equal(hex(philox([ones, ones, ones, ones], [ones, ones])), '408f276d 41c83b0e a20bc7c6 6d5451fd')
  assert.equal(
    hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])),
    'd16cfe09 94fdcceb 5001e420 24126ea1',
  )
})

test('normal numbers have the moments of their distribution and depend on the whole key', () => {
  const key = { seed: 2 ** 40 + 7, purpose: 3, stream: 5, step: 9 }
  const numbers = Array.from({ length: 4000 }, (_, i) => normal(key, i))
  // Four standard errors.
  const { mean, variance } = moments(numbers)
  close([mean, variance], [0, 1], 4 * Math.sqrt(2 / numbers.length), 'moments')
  assert.equal(new Set(numbers).size, numbers.length)
  for (const other of [{ seed: 7 }, { purpose: 4 }, { stream: 6 }, { step: 10 }])
    assert.notEqual(normal({ ...key, ...other }, 0), numbers[0])
})

test('layers of a row, by hand', () => {
  const rstd = 1 / Math.sqrt(1 + 1e-5)
  close(layerNorm([1, 3], [2, 4], [0, 1]), [-2 * rstd, 4 * rstd + 1], 1e-15, 'layerNorm')
  assert.deepEqual(linear([1, 2], [1, 10, 100, 1000, 0, 1], [0, 5, 7]), [21, 2105, 9])
  assert.deepEqual(linearAdjoint([1, 2, 3], [1, 10, 100, 1000, 0, 1], 2), [201, 2013])
  const agentId = { index: 1, count: 2 }
  assert.deepEqual(inputStage({ agentId, standardise: false }, [4, 5]), [4, 5, 0, 1])
  assert.deepEqual(inputStage({ agentId: null, standardise: true }, [1, 3]), [-1, 1])
  // Sums of few f32 numbers are exact in f64, so the deviation of a constant vector is exactly 0.
  const tenth = Math.fround(0.1)
  assert.deepEqual(inputStage({ agentId: null, standardise: true }, [tenth, tenth, tenth]), [0, 0, 0])
})

test('the Gaussian and the surrogate, by hand', () => {
  assert.equal(deviation(0, 1, 0.5), 0.25)
  close([logProb([1], [1], [1])], [-0.9189385332046727], 1e-15, 'log-probability at the mean')
  close([logProb([3, 0], [1, 0], [2, 1])], [-0.5 - Math.log(2) - Math.log(2 * Math.PI)], 1e-15, 'of two')
  close([gaussianKl([0], [1], [1], [1])], [0.5], 1e-15, 'KL of means')
  close([gaussianKl([0], [1], [0], [2])], [Math.log(2) + 1 / 8 - 0.5], 1e-15, 'KL of deviations')
  assert.equal(surrogate(1.5, 2, null), 3)
  assert.equal(surrogate(1.5, 2, 0.25), 2.5)
  assert.equal(surrogate(1.5, -2, 0.25), -3)
  assert.equal(surrogate(0.5, 2, 0.25), 1)
  assert.equal(surrogate(0.5, -2, 0.25), -1.5)
  assert.deepEqual([isClipped(1.5, 0.25), isClipped(1.2, 0.25), isClipped(9, null)], [true, false, false])
})

test('the loss of a critic, by hand', () => {
  assert.deepEqual(
    [-3, -2, 1, 5].map((error) => huber(error, 2)),
    [4, 2, 0.5, 8],
  )
  assert.equal(valueLoss(3, 0, 4, null, 10), 0.5)
  assert.equal(valueLoss(3, 0, 4, 1, 10), 4.5, 'the clipped value is farther')
  assert.equal(valueLoss(3, 0, 1, 1, 10), 2, 'the clipped value is nearer')
})

test('operands that do not fit a step are errors', () => {
  const device = new ReferenceDevice()
  const [x, out] = [device.tensor('f32', 8), device.tensor('f32', 8)]
  const gradient = device.tensor('f32', 3)
  const fails = (step: RowStep, error: typeof RangeError | typeof TypeError, what: string) =>
    assert.throws(() => device.run(device.compile({ rows: [step], gradient }, 4), 4), error, what)
  fails({ op: 'copy', x, out, width: 3 }, RangeError, 'too few rows')
  fails({ op: 'copy', x, out: scratch(3), width: 2 }, RangeError, 'width of a scratch matrix')
  fails({ op: 'copy', x: device.tensor('i32', 8), out, width: 2 }, TypeError, 'type')
  const far: RowStep = { op: 'layerNormWeights', g: x, xhat: x, width: 2, gamma: 0, beta: 2 }
  fails(far, RangeError, 'gradient beyond the end')
  const index = device.tensor('i32', 4)
  device.write(index, [0, 1, 2, 4])
  fails({ op: 'gather', source: x, index, width: 2, out }, RangeError, 'row of the source')
  const foreign = { type: 'f32', length: 8 } as const
  fails({ op: 'copy', x: foreign, out, width: 2 }, TypeError, 'tensor of another device')
})

test('reading a scratch matrix before writing it gives NaN', () => {
  const device = new ReferenceDevice()
  const out = device.tensor('f32', 4)
  const hidden = scratch(2)
  const reading: RowStep = { op: 'copy', x: hidden, out, width: 2 }
  const writing: RowStep = { op: 'copy', x: out, out: hidden, width: 2 }
  const program = device.compile({ rows: [reading, writing] }, 2)
  for (let run = 0; run < 2; run++) {
    device.fill(out, 1)
    device.run(program, 2)
    assert.ok(device.read(out).every(Number.isNaN), 'in each row of each run')
  }
})
