import type { BoundedStep } from '../bounded-steps.js'
import type { HeadStep } from '../head-steps.js'
import { ReferenceTensor, rowOf, ScratchRows } from '../reference/memory.js'
import type { Row } from '../reference/row.js'
import { ROW_STEPS, type SimpleStep } from '../reference/steps.js'
import type { NetworkStep, RowStep, ValueStep } from '../steps.js'
import { isScratch, type Operand, type Scratch } from '../tensor.js'
import { TfjsTensor, Value } from './memory.js'
import type { Pass } from './pass.js'

/** Steps computed on the host, row by row in f64. */
export type HostStep =
  | Exclude<HeadStep, { op: 'gaussianFisher' | 'categoricalFisher' }>
  | BoundedStep
  | ValueStep
  | Extract<NetworkStep, { op: 'gather' }>

/** Operands that each step writes, in whole or in part. */
const WRITTEN: Readonly<Record<HostStep['op'], readonly string[]>> = {
  gather: ['out'],
  gaussianLogProb: ['logProb'],
  gaussianSample: ['action', 'logProb'],
  gaussianSurrogate: ['gradient', 'logProb'],
  gaussianKl: [],
  gaussianFisherRoot: ['gmean'],
  rowGaussianLogProb: ['logProb'],
  rowGaussianLogProbAdjoint: ['goutputs'],
  rowGaussianSample: ['action', 'logProb'],
  rowGaussianKl: ['kl'],
  rowGaussianFisher: ['goutputs'],
  rowGaussianFisherRoot: ['goutputs'],
  rowGaussianEntropy: ['entropy', 'goutputs'],
  maskChoices: ['logits'],
  categoricalLogProb: ['logProb'],
  categoricalLogProbAdjoint: ['glogits'],
  categoricalSample: ['action', 'logProb'],
  categoricalMode: ['action'],
  categoricalKl: ['kl'],
  categoricalFisherRoot: ['glogits'],
  categoricalEntropy: ['entropy', 'glogits'],
  surrogate: ['slope'],
  weightedSum: [],
  squash: ['action', 'derivative'],
  explore: ['action'],
  valueLoss: ['gvalue'],
}

/** Whether a step is computed on the host. This includes `gather` of bytes, which TensorFlow.js lacks. */
export function isOnHost(step: RowStep): step is HostStep {
  return step.op === 'gather' ? step.source.type !== 'f32' : Object.hasOwn(WRITTEN, step.op)
}

/**
 * Computes a step by its definition, in f64 as its contract requires. TensorFlow.js has only f32, and the columns of heads
 * and losses are few.
 */
export function takeOnHost<Op extends HostStep['op']>(step: Extract<HostStep, { op: Op }>, pass: Pass): void {
  const results: [Operand, ReferenceTensor][] = []
  const onHost = (value: unknown, isWritten: boolean): unknown => {
    if (isOperand(value)) {
      const elements = pass.elements(value)
      const type = isScratch(value) ? 'f32' : value.type
      const tensor = new ReferenceTensor(type, isWritten ? elements.slice() : elements)
      if (isWritten) results.push([value, tensor])
      return tensor
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, onHost(part, isWritten)]))
  }
  const own = Object.fromEntries(
    Object.entries(step).map(([key, value]) => [key, onHost(value, WRITTEN[step.op].includes(key))]),
  )
  const take = ROW_STEPS[step.op] as (step: SimpleStep, row: Row) => void
  const unused = new ScratchRows()
  for (let r = 0; r < pass.rows; r++)
    take(own as unknown as SimpleStep, {
      index: r,
      of: (operand, width) => rowOf(operand, width, r, unused),
      addGradient: (offset, values) => pass.gradient.addRow(offset, values),
      addSum: (name, value) => (pass.sums[name] += value),
    })
  for (const [operand, { values }] of results) {
    if (isScratch(operand)) pass.put(operand, operand.width, values)
    else pass.own(operand).write(new Value(pass.tf, values))
  }
}

function isOperand(value: unknown): value is TfjsTensor | Scratch {
  return value instanceof TfjsTensor || (typeof value === 'object' && value !== null && 'scratch' in value)
}
