import {
  accumulate,
  at,
  columns,
  gradient,
  integer,
  optional,
  real,
  rows,
  sums,
  tensor,
} from './arguments.js'
import type { Operation } from './operation.js'

const gaussianTable = { table: tensor('4 * size', 'f64'), size: integer }
const noise = {
  seedLow: { kind: 'low', field: 'seed' },
  seedHigh: { kind: 'high', field: 'seed' },
  purpose: integer,
  streams: rows('1', 'i32'),
  steps: rows('1', 'i32'),
} as const
const matrix = rows('before + count + after')
const choice = { action: rows('earlier + 1 + later'), earlier: integer, later: integer }
const rowGaussian = { outputs: rows('2 * size'), size: integer, x: real, y: real }

/** Operations of the heads of policies. */
export const HEAD_OPERATIONS = {
  gaussianTable: {
    words: { logStd: tensor('size'), x: real, y: real, table: tensor('4 * size', 'f64'), size: integer },
    file: 'gaussian',
    calls: ['gaussianTable(logStd, x, y, table, size)'],
  },
  gaussianLogProb: {
    words: { mean: rows('size'), action: rows('size'), ...gaussianTable, logProb: rows('1') },
    file: 'gaussian',
    calls: ['gaussianLogProb(mean, action, table, size, logProb, from, to)'],
  },
  gaussianSample: {
    words: {
      mean: rows('size'),
      ...gaussianTable,
      ...noise,
      action: rows('size'),
      logProb: rows('1'),
    },
    file: 'gaussian',
    calls: [
      'gaussianSample(mean, table, size, seedLow, seedHigh, purpose, streams, steps, action, logProb, from, to)',
    ],
  },
  gaussianSurrogate: {
    words: {
      mean: rows('size'),
      ...gaussianTable,
      action: rows('size'),
      oldLogProb: rows('1'),
      factor: rows('1'),
      weight: rows('1'),
      clip: optional(real, -1),
      gmean: optional(at('gradient.mean', rows('size'))),
      glogStd: optional(at('gradient.logStd', gradient('size')), -1),
      logProb: optional(rows('1')),
      sums,
      accumulate,
    },
    file: 'gaussian',
    calls: [
      'gaussianSurrogate(mean, table, size, action, oldLogProb, factor, weight, clip, gmean, glogStd, logProb, sums, from, to, accumulate)',
    ],
  },
  gaussianKl: {
    words: {
      oldMean: rows('size'),
      oldTable: tensor('4 * size', 'f64'),
      mean: rows('size'),
      ...gaussianTable,
      weight: rows('1'),
      sums,
    },
    file: 'gaussian',
    calls: ['gaussianKl(oldMean, oldTable, mean, table, size, weight, sums, from, to)'],
  },
  gaussianFisher: {
    words: {
      dmean: rows('size'),
      dlogStd: tensor('size'),
      ...gaussianTable,
      weight: rows('1'),
      gmean: rows('size'),
      logStd: gradient('size'),
      accumulate,
    },
    file: 'gaussian',
    calls: ['gaussianFisher(dmean, dlogStd, table, size, weight, gmean, logStd, from, to, accumulate)'],
  },
  gaussianFisherRoot: {
    words: { ...gaussianTable, column: integer, weight: rows('1'), gmean: rows('size') },
    file: 'gaussian',
    calls: ['gaussianFisherRoot(table, size, column, weight, gmean, from, to)'],
  },
  rowGaussianLogProb: {
    words: { ...rowGaussian, action: rows('size'), logProb: rows('1') },
    file: 'row-gaussian',
    calls: ['rowGaussianLogProb(outputs, size, x, y, action, logProb, from, to)'],
  },
  rowGaussianLogProbAdjoint: {
    words: { ...rowGaussian, action: rows('size'), slope: rows('1'), goutputs: rows('2 * size') },
    file: 'row-gaussian',
    calls: ['rowGaussianLogProbAdjoint(outputs, size, x, y, action, slope, goutputs, from, to)'],
  },
  rowGaussianSample: {
    words: { ...rowGaussian, ...noise, action: rows('size'), logProb: rows('1') },
    file: 'row-gaussian',
    calls: [
      'rowGaussianSample(outputs, size, x, y, seedLow, seedHigh, purpose, streams, steps, action, logProb, from, to)',
    ],
  },
  rowGaussianKl: {
    words: { oldOutputs: rows('2 * size'), ...rowGaussian, kl: rows('1') },
    file: 'row-gaussian',
    calls: ['rowGaussianKl(oldOutputs, outputs, size, x, y, kl, from, to)'],
  },
  rowGaussianFisher: {
    words: { doutputs: rows('2 * size'), ...rowGaussian, weight: rows('1'), goutputs: rows('2 * size') },
    file: 'row-gaussian',
    calls: ['rowGaussianFisher(doutputs, outputs, size, x, y, weight, goutputs, from, to)'],
  },
  rowGaussianFisherRoot: {
    words: { ...rowGaussian, column: integer, weight: rows('1'), goutputs: rows('2 * size') },
    file: 'row-gaussian',
    calls: ['rowGaussianFisherRoot(outputs, size, x, y, column, weight, goutputs, from, to)'],
  },
  rowGaussianEntropy: {
    words: {
      ...rowGaussian,
      weight: rows('1'),
      coefficient: real,
      goutputs: optional(rows('2 * size')),
      entropy: rows('1'),
    },
    file: 'row-gaussian',
    calls: ['rowGaussianEntropy(outputs, size, x, y, weight, coefficient, goutputs, entropy, from, to)'],
  },
  maskChoices: {
    words: { logits: rows('width'), available: rows('width', 'u8'), width: integer },
    file: 'categorical',
    calls: ['maskChoices(logits, available, width, from, to)'],
  },
  categoricalLogProb: {
    words: { logits: matrix, ...columns, ...choice, logProb: rows('1'), accumulate: integer },
    file: 'categorical',
    calls: [
      'categoricalLogProb(logits, before, count, after, action, earlier, later, logProb, accumulate, from, to)',
    ],
  },
  categoricalLogProbAdjoint: {
    words: { logits: matrix, ...columns, ...choice, slope: rows('1'), glogits: matrix },
    file: 'categorical',
    calls: [
      'categoricalLogProbAdjoint(logits, before, count, after, action, earlier, later, slope, glogits, from, to)',
    ],
  },
  categoricalSample: {
    words: { logits: matrix, ...columns, ...noise, ...choice, logProb: rows('1'), accumulate: integer },
    file: 'categorical',
    calls: [
      'categoricalSample(logits, before, count, after, seedLow, seedHigh, purpose, streams, steps, action, earlier, later, logProb, accumulate, from, to)',
    ],
  },
  categoricalMode: {
    words: { logits: matrix, ...columns, ...choice },
    file: 'categorical',
    calls: ['categoricalMode(logits, before, count, after, action, earlier, later, from, to)'],
  },
  categoricalKl: {
    words: { oldLogits: matrix, logits: matrix, ...columns, kl: rows('1'), accumulate: integer },
    file: 'categorical',
    calls: ['categoricalKl(oldLogits, logits, before, count, after, kl, accumulate, from, to)'],
  },
  categoricalFisher: {
    words: { dlogits: matrix, logits: matrix, ...columns, weight: rows('1'), glogits: matrix },
    file: 'categorical',
    calls: ['categoricalFisher(dlogits, logits, before, count, after, weight, glogits, from, to)'],
  },
  categoricalFisherRoot: {
    words: { logits: matrix, ...columns, column: integer, weight: rows('1'), glogits: matrix },
    file: 'categorical',
    calls: ['categoricalFisherRoot(logits, before, count, after, column, weight, glogits, from, to)'],
  },
  categoricalEntropy: {
    words: {
      logits: matrix,
      ...columns,
      weight: rows('1'),
      coefficient: real,
      glogits: optional(matrix),
      entropy: rows('1'),
      accumulate: integer,
    },
    file: 'categorical',
    calls: [
      'categoricalEntropy(logits, before, count, after, weight, coefficient, glogits, entropy, accumulate, from, to)',
    ],
  },
  surrogate: {
    words: {
      logProb: rows('1'),
      oldLogProb: rows('1'),
      factor: rows('1'),
      weight: rows('1'),
      clip: optional(real, -1),
      slope: optional(rows('1')),
      sums,
    },
    file: 'surrogate',
    calls: ['surrogate(logProb, oldLogProb, factor, weight, clip, slope, sums, from, to)'],
  },
  weightedSum: {
    words: { x: rows('1'), weight: rows('1'), sums },
    file: 'surrogate',
    calls: ['weightedSum(x, weight, sums, from, to)'],
  },
} as const satisfies Readonly<Record<string, Operation>>
