import type { Program, Sums } from '../device.js'
import { chunkOf, sumNames, type ProgramSpec, type RowStep } from '../steps.js'
import { isScratch, type Scratch } from '../tensor.js'
import { FISHER_STEPS } from './head-steps.js'
import { isOnHost, takeOnHost } from './host-steps.js'
import { Value } from './memory.js'
import { NETWORK_STEPS } from './network-steps.js'
import { FINISH_STEPS, SETUP_STEPS } from './parameter-steps.js'
import { Pass } from './pass.js'
import { RECURRENT_STEPS } from './recurrent-steps.js'
import type { TensorFlow } from './tensorflow.js'

const STEPS = { ...SETUP_STEPS, ...NETWORK_STEPS, ...RECURRENT_STEPS, ...FISHER_STEPS, ...FINISH_STEPS }

type Take = (pass: Pass) => void

/** Pass as a list of functions, one per step, that call operations of TensorFlow.js. */
export class TfjsProgram implements Program {
  readonly maxRows: number
  /** Number of consecutive rows that belong together. */
  readonly chunk: number
  /** Device that made it. */
  readonly owner: object
  readonly #tf: TensorFlow
  readonly #spec: ProgramSpec
  readonly #names: readonly string[]
  readonly #setup: readonly Take[]
  readonly #rows: readonly { take: Take; last: readonly Scratch[] }[]
  readonly #finish: readonly Take[]

  constructor(owner: object, tf: TensorFlow, spec: ProgramSpec, maxRows: number) {
    const { setup = [], rows, finish = [] } = spec
    this.owner = owner
    this.maxRows = maxRows
    this.chunk = chunkOf(spec)
    this.#tf = tf
    this.#spec = spec
    this.#names = sumNames(spec)
    this.#setup = setup.map((step) => taking(step))
    const last = lastUses(rows)
    this.#rows = rows.map((step, i) => ({ take: taking(step), last: last[i] }))
    this.#finish = finish.map((step) => taking(step))
  }

  run(rows: number, scale: number): Sums {
    const { gradient } = this.#spec
    const tf = this.#tf
    const pass = new Pass(this.owner, tf, rows, gradient?.length ?? 0, this.#names)
    const take = (step: Take) => tf.tidy(() => step(pass))
    try {
      this.#setup.forEach(take)
      for (const step of this.#rows) {
        take(step.take)
        for (const scratch of step.last) pass.forget(scratch)
      }
      if (gradient) take(() => pass.own(gradient, 'f32').write(new Value(tf, pass.gradient.total(scale))))
      this.#finish.forEach(take)
      return pass.sums
    } finally {
      pass.close()
    }
  }
}

function taking(step: RowStep | { readonly op: keyof typeof STEPS }): Take {
  if (isRowStep(step) && isOnHost(step)) return (pass) => takeOnHost(step, pass)
  const take = STEPS[step.op] as (step: object, pass: Pass) => void
  return (pass) => take(step, pass)
}

function isRowStep(step: { readonly op: string }): step is RowStep {
  return !Object.hasOwn(SETUP_STEPS, step.op) && !Object.hasOwn(FINISH_STEPS, step.op)
}

/** For each step, the scratch matrices that no later step uses. */
function lastUses(steps: readonly RowStep[]): Scratch[][] {
  const last = new Map<Scratch, number>()
  steps.forEach((step, i) => scratchesOf(step).forEach((scratch) => last.set(scratch, i)))
  return steps.map((_, i) => Array.from(last).flatMap(([scratch, at]) => (at === i ? [scratch] : [])))
}

/** Scratch matrices among the operands of a step and of its parts. */
function scratchesOf(part: object): Scratch[] {
  return Object.values(part).flatMap((value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
    return 'scratch' in value && isScratch(value as Scratch)
      ? [value as Scratch]
      : 'length' in value
        ? []
        : scratchesOf(value)
  })
}
