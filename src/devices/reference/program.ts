import type { Program, Sums } from '../device.js'
import { sumNames, type FinishStep, type ProgramSpec, type RowStep, type SetupStep } from '../steps.js'
import { rowOf, ScratchRows, vectors } from './memory.js'
import { FINISH_STEPS, SETUP_STEPS } from './parameters.js'
import type { Row } from './row.js'
import { ROW_STEPS } from './steps.js'

/** A specification as it is: nothing is compiled. */
export class ReferenceProgram implements Program {
  readonly maxRows: number
  /** Device that made it. */
  readonly owner: object
  readonly #spec: ProgramSpec
  readonly #names: readonly string[]
  readonly #scratch = new ScratchRows()

  constructor(owner: object, spec: ProgramSpec, maxRows: number) {
    this.owner = owner
    this.maxRows = maxRows
    this.#spec = spec
    this.#names = sumNames(spec)
  }

  /**
   * Takes each row through all steps before the next one. Any order of rows gives the same results, since a program is
   * local to rows.
   */
  run(rows: number, scale: number): Sums {
    const { setup = [], rows: steps, gradient, finish = [] } = this.#spec
    for (const step of setup) runSetup(step)
    const sums: Record<string, number> = Object.fromEntries(this.#names.map((name) => [name, 0]))
    const total = new Float64Array(gradient?.length ?? 0)
    for (let index = 0; index < rows; index++) {
      const row: Row = {
        index,
        of: (operand, width) => rowOf(operand, width, index, this.#scratch),
        addGradient: (offset, values) => addInto(total, offset, values),
        addSum: (name, value) => (sums[name] += value),
      }
      for (const step of steps) apply(step, row)
      this.#scratch.forget()
    }
    if (gradient) vectors(gradient)[0].set(total.map((v) => scale * v))
    for (const step of finish) runFinish(step)
    return sums
  }
}

function apply<Op extends RowStep['op']>(step: Extract<RowStep, { op: Op }>, row: Row): void {
  const run = ROW_STEPS[step.op] as (step: Extract<RowStep, { op: Op }>, row: Row) => void
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
