import type { Program, Sums } from '../device.js'
import {
  chunkOf,
  sumNames,
  type FinishStep,
  type ProgramSpec,
  type RowStep,
  type SetupStep,
} from '../steps.js'
import { rowOf, ScratchRows, vectors } from './memory.js'
import { FINISH_STEPS, SETUP_STEPS } from './parameters.js'
import { CHUNK_STEPS, type ChunkRow } from './recurrent.js'
import type { Row } from './row.js'
import { ROW_STEPS, type SimpleStep } from './steps.js'
import type { RecurrentStep } from '../recurrent-steps.js'

/** Specification that is interpreted without compilation. */
export class ReferenceProgram implements Program {
  readonly maxRows: number
  /** Number of consecutive rows that belong together. */
  readonly chunk: number
  /** Device that made it. */
  readonly owner: object
  readonly #spec: ProgramSpec
  readonly #names: readonly string[]
  /** One for each row of a chunk. */
  readonly #scratch: readonly ScratchRows[]

  constructor(owner: object, spec: ProgramSpec, maxRows: number) {
    this.owner = owner
    this.maxRows = maxRows
    this.chunk = chunkOf(spec)
    this.#spec = spec
    this.#names = sumNames(spec)
    this.#scratch = Array.from({ length: this.chunk }, () => new ScratchRows())
  }

  /**
   * Runs all steps on one chunk of rows after another. Results do not depend on the order of chunks, because a program
   * is local to them.
   */
  run(rows: number, scale: number): Sums {
    const { setup = [], rows: steps, gradient, finish = [] } = this.#spec
    for (const step of setup) runSetup(step)
    const sums: Record<string, number> = Object.fromEntries(this.#names.map((name) => [name, 0]))
    const total = new Float64Array(gradient?.length ?? 0)
    for (let first = 0; first < rows; first += this.chunk) {
      const chunk = this.#scratch.map((scratch, t): Row => ({
        index: first + t,
        of: (operand, width) => rowOf(operand, width, first + t, scratch),
        addGradient: (offset, values) => addInto(total, offset, values),
        addSum: (name, value) => (sums[name] += value),
      }))
      for (const step of steps) apply(step, chunk)
      for (const scratch of this.#scratch) scratch.forget()
    }
    if (gradient) vectors(gradient)[0].set(total.map((v) => scale * v))
    for (const step of finish) runFinish(step)
    return sums
  }
}

function apply(step: RowStep, chunk: readonly Row[]): void {
  if (isRecurrent(step)) applyToChunk(step, chunk)
  else for (const row of chunk) applyToRow(step, row)
}

function isRecurrent(step: RowStep): step is RecurrentStep {
  return Object.hasOwn(CHUNK_STEPS, step.op)
}

function applyToChunk<Op extends RecurrentStep['op']>(
  step: Extract<RecurrentStep, { op: Op }>,
  chunk: readonly Row[],
): void {
  const run = CHUNK_STEPS[step.op] as (step: RecurrentStep, rows: readonly ChunkRow[]) => void
  run(step, chunk)
}

function applyToRow<Op extends SimpleStep['op']>(step: Extract<SimpleStep, { op: Op }>, row: Row): void {
  const run = ROW_STEPS[step.op] as (step: Extract<SimpleStep, { op: Op }>, row: Row) => void
  run(step, row)
}

function runSetup<Op extends SetupStep['op']>(step: Extract<SetupStep, { op: Op }>): void {
  const run = SETUP_STEPS[step.op] as (step: Extract<SetupStep, { op: Op }>) => void
  run(step)
}

function runFinish<Op extends FinishStep['op']>(step: Extract<FinishStep, { op: Op }>): void {
  const run = FINISH_STEPS[step.op] as (step: Extract<FinishStep, { op: Op }>) => void
  run(step)
}

function addInto(total: Float64Array, offset: number, values: ArrayLike<number>): void {
  if (offset + values.length > total.length)
    throw new RangeError(`gradients ${offset} .. ${offset + values.length - 1} of ${total.length} parameters`)
  for (let i = 0; i < values.length; i++) total[offset + i] += values[i]
}
