import { HEADER, PANEL_REST, PHASE, PHASE_KIND } from '../../kernels/index.js'
import { chunkOf, sumNames, type ProgramSpec, type RowStep, type SetupStep } from '../steps.js'
import { isScratch, scratch, type Operand, type Scratch, type Tensor } from '../tensor.js'
import { encodeStep, END, type Encodable, type Places } from '../operations/encode.js'
import { planGradient, type GradientPlan } from '../operations/gradient.js'
import type { Operation } from '../operations/operation.js'
import { OPERATIONS } from '../operations/table.js'
import { ScratchPool } from '../operations/scratch.js'

/** Number of rows that a thread processes at a time. A constant, because partial sums and therefore results depend on it. */
export const ROWS_PER_BLOCK = 128
/** Minimum number of chunks that a thread processes at a time, so that products of one step have several rows. */
const CHUNKS_PER_BLOCK = 4

/** Rows of a block of a program: whole chunks. */
export function blockRows(chunk: number): number {
  return chunk * Math.max(CHUNKS_PER_BLOCK, Math.floor(ROWS_PER_BLOCK / chunk))
}

/** Number of parameters that a reduction task sums. */
const REDUCE_SPAN = 2048
/** Number of outputs or inputs of a layer in a task on its parameters: whole panels. */
const LAYER_SPAN = 32

/** Memory for compiled programs. */
export interface ProgramMemory {
  /** Reserves zeroed memory. */
  readonly reserve: (bytes: number) => number
  /** Address of a tensor. */
  readonly addressOf: (tensor: Tensor) => number
}

/** Words of a program, with their addresses if stored at `address`. */
export interface EncodedProgram {
  readonly address: number
  readonly words: Int32Array
}

/** Memory for the results and intermediate values of a program. */
export interface ProgramSpace {
  /** Scratch memory, shared by programs that run one at a time. */
  readonly pool: ScratchPool
  /** Address of [blocks, stride] f32 for partial gradients, and of [blocks, sums] f64. */
  readonly partialGradients: number
  readonly partialSums: number
}

/** Distance in floats between the partial gradients of two blocks: a multiple of a cache line. */
export function gradientStride(length: number): number {
  return Math.ceil(length / 16) * 16
}

/** Packed copies of the weights in products. Each is made once per run. */
class Packing {
  readonly tasks: Encodable[] = []
  readonly #known = new Map<string, number>()
  readonly #memory: ProgramMemory

  constructor(memory: ProgramMemory) {
    this.#memory = memory
  }

  /** Address of `weight` [outputs, inputs] packed for y = x w' (transposed) or gx = gy w (plain). */
  readonly of: Places['packed'] = (pack, weight, outputs, inputs) => {
    const key = `${this.#memory.addressOf(weight)} ${outputs} ${inputs} ${pack}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const [columns, depth] = pack === 'packTransposed' ? [outputs, inputs] : [inputs, outputs]
    const packed = this.#memory.reserve(Math.ceil(columns / PANEL_REST) * PANEL_REST * depth * 4)
    this.tasks.push({ op: pack, weight, outputs, inputs, packed })
    this.#known.set(key, packed)
    return packed
  }
}

/**
 * Encodes a pass as words of phases: tasks that prepare tables and derived weights, tasks that pack weights, operations
 * over the rows, tasks that sum the gradients of the blocks, and tasks on the sum. Phases without work are left out.
 */
export function encodeProgram(
  spec: ProgramSpec,
  maxRows: number,
  memory: ProgramMemory,
  space: ProgramSpace,
): EncodedProgram {
  const { gradient } = spec
  const packing = new Packing(memory)
  const sums = sumNames(spec)
  const steps = withWork(spec.rows)
  const plan = planGradient(steps, gradient?.length ?? 0)
  const places = placesOf(maxRows, memory, packing, space.pool.place(steps, maxRows), sums, plan)
  const clears = plan.cleared.map(({ from, to }): Encodable => ({
    op: 'clearBlock',
    offset: from,
    length: to - from,
  }))
  const rows = rowsPhase([...clears, ...steps], places)
  const phases = [
    tasksPhase(taskSteps(spec.setup), places),
    tasksPhase(taskSteps(packing.tasks), places),
    rows,
    tasksPhase(gradient ? reductions(plan, memory.addressOf(gradient)) : [], places),
    tasksPhase(taskSteps(spec.finish), places),
  ].filter((phase) => phase.groups.length > 0)
  const encoded = assemble(phases, memory, chunkOf(spec))
  setWord(encoded, HEADER.partialGradients, space.partialGradients)
  setWord(encoded, HEADER.gradientStride, gradientStride(gradient?.length ?? 0))
  setWord(encoded, HEADER.partialSums, space.partialSums)
  setWord(encoded, HEADER.sumsPerBlock, sums.length)
  return encoded
}

/**
 * Encodes passes that share one separate program, which prepares the tables and packed weights for all of them. The
 * passes may run at the same time on different threads, so each has its own scratch memory.
 */
export function encodePrepared(
  specs: readonly ProgramSpec[],
  rows: readonly number[],
  memory: ProgramMemory,
): { preparation: EncodedProgram; passes: EncodedProgram[] } {
  const packing = new Packing(memory)
  const setup = new Set<SetupStep>()
  const plan = planGradient([], 0)
  const passes = specs.map((spec, i) => {
    if (spec.gradient || sumNames(spec).length > 0)
      throw new Error('a prepared pass has no gradient and no sums')
    for (const step of spec.setup ?? []) setup.add(step)
    const steps = withWork(spec.rows)
    const scratch = new ScratchPool(memory.reserve).place(steps, rows[i])
    const places = placesOf(rows[i], memory, packing, scratch, [], plan)
    const encoded = assemble([rowsPhase(steps, places)], memory, chunkOf(spec))
    setWord(encoded, HEADER.rows, rows[i])
    return encoded
  })
  const places = placesOf(1, memory, packing, new Map(), [], plan)
  const phases = [[...setup], packing.tasks].map((tasks) => tasksPhase(taskSteps(tasks), places))
  const preparation = assemble(
    phases.filter((phase) => phase.groups.length > 0),
    memory,
  )
  setWord(preparation, HEADER.rows, 1)
  return { preparation, passes }
}

/** The steps with the working matrices that their operations need. */
function withWork(steps: readonly RowStep[]): RowStep[] {
  return steps.map((step) => {
    const { work }: Operation = OPERATIONS[step.op]
    return work === undefined ? step : { ...step, work: scratch(work) }
  })
}

function placesOf(
  maxRows: number,
  memory: ProgramMemory,
  packing: Packing,
  scratch: ReadonlyMap<Scratch, number>,
  sums: readonly string[],
  { accumulating }: GradientPlan,
): Places {
  return {
    maxRows,
    address: (operand: Operand) => (isScratch(operand) ? scratch.get(operand)! : memory.addressOf(operand)),
    packed: packing.of,
    sums,
    accumulates: (step) => accumulating.has(step as RowStep),
  }
}

/** Steps on parameters, divided into tasks. */
function taskSteps(steps: readonly Encodable[] = []): Encodable[] {
  return steps.flatMap((step): Encodable[] => {
    const { divided }: Operation = OPERATIONS[step.op]
    if (!divided) return [step]
    const count = (step as unknown as Record<string, number>)[divided]
    return spans(0, count, LAYER_SPAN).map((span) => ({ ...step, ...span }))
  })
}

/** Parts of first <= i < last of at most `span` each. */
function spans(from: number, to: number, span: number): { first: number; last: number }[] {
  const count = Math.ceil((to - from) / span)
  return Array.from({ length: count }, (_, i) => {
    const first = from + i * span
    return { first, last: Math.min(first + span, to) }
  })
}

/** Tasks that sum the gradients of the blocks, and tasks that zero entries without a step. */
function reductions({ written, unwritten }: GradientPlan, out: number): Encodable[] {
  const tasks: Encodable[] = unwritten.map(({ from, to }) => ({
    op: 'clear',
    start: out + 4 * from,
    length: to - from,
  }))
  for (const { from, to } of written)
    for (const span of spans(from, to, REDUCE_SPAN)) tasks.push({ op: 'reduce', ...span, out })
  return tasks
}

interface Phase {
  readonly kind: (typeof PHASE_KIND)[keyof typeof PHASE_KIND]
  /** Words of each task, or of the single list of row operations. */
  readonly groups: readonly (readonly number[])[]
}

function tasksPhase(tasks: readonly Encodable[], places: Places): Phase {
  return { kind: PHASE_KIND.tasks, groups: tasks.map((task) => [...encodeStep(task, places), END]) }
}

function rowsPhase(steps: readonly Encodable[], places: Places): Phase {
  return { kind: PHASE_KIND.rows, groups: [[...steps.flatMap((step) => encodeStep(step, places)), END]] }
}

function setWord({ words }: EncodedProgram, offset: number, value: number): void {
  words[offset / 4] = value
}

/** Lays out the header, the phases and the operations of each phase, preceded in a task phase by their addresses. */
function assemble(phases: readonly Phase[], memory: ProgramMemory, chunk = 1): EncodedProgram {
  const tableLength = ({ kind, groups }: Phase) => (kind === PHASE_KIND.tasks ? groups.length : 0)
  const head = (HEADER.bytes + phases.length * PHASE.bytes) / 4
  const length = phases.reduce(
    (sum, phase) => sum + tableLength(phase) + phase.groups.reduce((n, group) => n + group.length, 0),
    head,
  )
  const words = new Int32Array(length)
  const address = memory.reserve(words.byteLength)
  const encoded = { address, words }
  setWord(encoded, HEADER.rowsPerBlock, blockRows(chunk))
  setWord(encoded, HEADER.phases, phases.length)
  let next = head
  phases.forEach((phase, i) => {
    const count = tableLength(phase)
    const record = HEADER.bytes + i * PHASE.bytes
    setWord(encoded, record + PHASE.kind, phase.kind)
    setWord(encoded, record + PHASE.operations, address + next * 4)
    setWord(encoded, record + PHASE.count, count)
    let at = next + count
    phase.groups.forEach((group, g) => {
      if (count > 0) words[next + g] = address + at * 4
      words.set(group, at)
      at += group.length
    })
    next = at
  })
  return encoded
}
