import { PANEL } from '../../kernels/index.js'
import { ACTIVATIONS, type FinishStep, type RowStep, type SetupStep } from '../steps.js'
import {
  accumulate,
  address,
  anyElement,
  at,
  columns,
  elementBytes,
  gradient,
  integer,
  like,
  optional,
  panels,
  real,
  rows,
  sums,
  tensor,
  type Argument,
} from './arguments.js'
import { BOUNDED_OPERATIONS } from './bounded-operations.js'
import { HEAD_OPERATIONS } from './head-operations.js'
import type { Operation } from './operation.js'
import { RECURRENT_OPERATIONS } from './recurrent-operations.js'

/** Number of vectors per row. */
const repeat: Argument = optional(integer, 1)

const normalisedLayer = {
  weight: tensor('outputs * inputs'),
  gamma: tensor('inputs'),
  beta: tensor('inputs'),
  outputs: integer,
  inputs: integer,
}
/** Part of the step that a task takes. */
const part = { first: integer, last: integer }

const packing = {
  weight: tensor('outputs * inputs'),
  outputs: integer,
  inputs: integer,
  packed: address,
  ...part,
}

const input = {
  raw: rows('size'),
  size: integer,
  id: optional(at('agentId.index', integer)),
  ids: optional(at('agentId.indices', rows('1', 'i32'))),
  idCount: optional(at('agentId.count', integer)),
  standardise: integer,
}

/** Operations that are not steps: packing of weights and passes over gradients. */
type Internal = 'packTransposed' | 'packPlain' | 'clear' | 'clearBlock' | 'reduce'
export type OperationName = RowStep['op'] | SetupStep['op'] | FinishStep['op'] | Internal

/**
 * Operations of programs, with their arguments and kernels. This table is the only description of the words of a program:
 * encode.ts writes them, and assembly/generated/operations.ts, generated from the table, reads them.
 */
export const OPERATIONS = {
  linear: {
    words: {
      x: rows('inputs'),
      inputs: integer,
      packed: panels('packTransposed'),
      bias: optional(tensor('outputs')),
      y: rows('outputs'),
      outputs: integer,
      accumulate: integer,
    },
    file: 'gemm',
    calls: ['gemm(x, inputs, packed, bias, y, outputs, from, to, accumulate)'],
  },
  linearAdjoint: {
    words: {
      repeat,
      gy: rows('repeat * outputs'),
      outputs: integer,
      packed: panels('packPlain'),
      gx: rows('repeat * inputs'),
      inputs: integer,
    },
    file: 'gemm',
    calls: ['gemm(gy, outputs, packed, 0, gx, inputs, from * repeat, to * repeat, 0)'],
  },
  linearWeights: {
    words: {
      x: rows('inputs'),
      inputs: integer,
      gy: rows('outputs'),
      outputs: integer,
      weight: gradient('outputs * inputs'),
      bias: gradient('outputs'),
      accumulate,
      work: optional(rows(`${PANEL}`)),
    },
    work: PANEL,
    file: 'gemm',
    calls: [
      'gemmOuter(x, inputs, gy, outputs, work, from, to, weight, accumulate)',
      'columnSums(gy, outputs, from, to, bias, accumulate)',
    ],
  },
  activation: {
    words: {
      z: rows('width'),
      y: rows('width'),
      derivative: optional(rows('width')),
      width: integer,
      kind: { kind: 'choice', choices: ACTIVATIONS },
    },
    file: 'activation',
    calls: ['activation(z, y, derivative, width, kind, from, to)'],
  },
  multiply: {
    words: {
      repeat,
      a: rows('repeat * width'),
      b: rows('width'),
      out: rows('repeat * width'),
      width: integer,
    },
    file: 'activation',
    calls: ['multiplyRows(a, b, out, width, repeat, from, to)'],
  },
  layerNorm: {
    words: {
      x: rows('width'),
      gamma: tensor('width'),
      beta: tensor('width'),
      xhat: optional(rows('width')),
      rstd: optional(rows('1')),
      out: rows('width'),
      width: integer,
    },
    file: 'layernorm',
    calls: ['layerNorm(x, gamma, beta, xhat, rstd, out, width, from, to)'],
  },
  layerNormTangent: {
    words: {
      dx: optional(rows('width')),
      xhat: rows('width'),
      rstd: rows('1'),
      gamma: tensor('width'),
      dgamma: tensor('width'),
      dbeta: tensor('width'),
      out: rows('width'),
      width: integer,
    },
    file: 'layernorm',
    calls: ['layerNormTangent(dx, xhat, rstd, gamma, dgamma, dbeta, out, width, from, to)'],
  },
  layerNormAdjoint: {
    words: {
      repeat,
      g: rows('repeat * width'),
      xhat: rows('width'),
      rstd: rows('1'),
      gamma: tensor('width'),
      gx: rows('repeat * width'),
      width: integer,
    },
    file: 'layernorm',
    calls: ['layerNormAdjoint(g, xhat, rstd, gamma, gx, width, repeat, from, to)'],
  },
  layerNormWeights: {
    words: {
      g: rows('width'),
      xhat: rows('width'),
      width: integer,
      gamma: gradient('width'),
      beta: gradient('width'),
      accumulate,
    },
    file: 'layernorm',
    calls: ['layerNormWeights(g, xhat, width, from, to, gamma, beta, accumulate)'],
  },
  input: {
    words: { ...input, out: rows('size + agentId.count') },
    file: 'input',
    calls: ['inputStage(raw, size, id, ids, idCount, standardise, out, from, to)'],
  },
  inputAdjoint: {
    words: { ...input, g: rows('size + agentId.count'), graw: rows('size') },
    file: 'input',
    calls: ['inputAdjoint(raw, size, id, ids, idCount, standardise, g, graw, from, to)'],
  },
  gather: {
    words: {
      source: anyElement(tensor('width')),
      index: rows('1', 'i32'),
      width: integer,
      bytes: elementBytes('source'),
      out: like('source', rows('width')),
    },
    file: 'input',
    calls: ['gatherRows(source, index, width, bytes, out, from, to)'],
  },
  copy: {
    words: { x: rows('width'), out: rows('width'), width: integer },
    file: 'input',
    calls: ['copyRows(x, out, width, from, to)'],
  },
  part: {
    words: { x: rows('before + count + after'), ...columns, out: rows('count') },
    file: 'input',
    calls: ['partOfRows(x, before, count, after, out, from, to)'],
  },
  place: {
    words: { x: rows('count'), ...columns, out: rows('before + count + after') },
    file: 'input',
    calls: ['placeInRows(x, before, count, after, out, from, to)'],
  },
  ...RECURRENT_OPERATIONS,
  broadcast: {
    words: { vector: tensor('width'), out: rows('width'), width: integer },
    file: 'jacobian',
    calls: ['broadcastRow(vector, out, width, from, to)'],
  },
  dotVectors: {
    words: {
      vectors: rows('count * width'),
      x: rows('width'),
      count: integer,
      width: integer,
      out: rows('count'),
    },
    file: 'jacobian',
    calls: ['dotVectors(vectors, x, count, width, out, from, to)'],
  },
  mixVectors: {
    words: {
      vectors: rows('count * width'),
      coefficients: rows('count'),
      count: integer,
      width: integer,
      out: rows('width'),
    },
    file: 'jacobian',
    calls: ['mixVectors(vectors, coefficients, count, width, out, from, to)'],
  },
  foldTangent: {
    words: {
      ...normalisedLayer,
      dweight: tensor('outputs * inputs'),
      dgamma: tensor('inputs'),
      dbeta: tensor('inputs'),
      dbias: tensor('outputs'),
      m: tensor('outputs * inputs'),
      c: tensor('outputs'),
      ...part,
    },
    file: 'jacobian',
    calls: ['foldTangent(weight, gamma, beta, dweight, dgamma, dbeta, dbias, inputs, m, c, first, last)'],
    divided: 'outputs',
  },
  unfoldGradient: {
    words: {
      ...normalisedLayer,
      gweight: tensor('outputs * inputs'),
      gbias: tensor('outputs'),
      ggamma: tensor('inputs'),
      gbeta: tensor('inputs'),
      ...part,
    },
    file: 'jacobian',
    calls: [
      'unfoldGradient(weight, gamma, beta, gweight, gbias, ggamma, gbeta, outputs, inputs, first, last)',
    ],
    divided: 'inputs',
  },
  ...HEAD_OPERATIONS,
  ...BOUNDED_OPERATIONS,
  valueLoss: {
    words: {
      value: rows('1'),
      old: rows('1'),
      target: rows('1'),
      weight: rows('1'),
      clip: optional(real, -1),
      huberDelta: real,
      gvalue: rows('1'),
      sums,
    },
    file: 'value',
    calls: ['valueLoss(value, old, target, weight, clip, huberDelta, gvalue, sums, from, to)'],
  },
  packTransposed: {
    words: packing,
    file: 'gemm',
    calls: ['packTransposed(weight, outputs, inputs, packed, first, last)'],
    divided: 'outputs',
  },
  packPlain: {
    words: packing,
    file: 'gemm',
    calls: ['packPlain(weight, outputs, inputs, packed, first, last)'],
    divided: 'inputs',
  },
  /** Sets entries of the gradient to zero. */
  clear: {
    words: { start: address, length: integer },
    file: 'header',
    calls: ['clear(start, length)'],
  },
  /** Sets entries of the block's gradient that several steps accumulate to zero. */
  clearBlock: {
    words: { offset: gradient('length'), length: integer },
    file: 'header',
    calls: ['clear(offset, length)'],
  },
  /** Sum of the gradients of all blocks, over parameters first <= i < last. */
  reduce: {
    words: { first: integer, last: integer, out: address },
    file: 'header',
    calls: ['reduceGradient(program, first, last, out)'],
  },
} as const satisfies Readonly<Record<OperationName, Operation>>

type Call = (typeof OPERATIONS)[OperationName]['calls'][number]
/** Names of the kernels that operations call. The compiled module exports them too. */
export type KernelName = Call extends `${infer Name}(${string}` ? Name : never
