import type { Program } from '../device.js'
import {
  chunkOf,
  sumNames,
  type FinishStep,
  type ProgramSpec,
  type RowStep,
  type SetupStep,
} from '../steps.js'
import { isScratch, type Scratch, type Tensor } from '../tensor.js'
import { argumentValue, CODES, type Encodable, type Places } from '../operations/encode.js'
import { planGradient, type GradientPlan } from '../operations/gradient.js'
import type { ScratchPool } from '../operations/scratch.js'
import { real, type Driver, type KernelArgument } from './driver.js'
import { BLOCKS, passRows } from './layout.js'
import type { Memory } from './memory.js'
import { parametersOf } from './operations.js'
import type { Recorder } from './recorder.js'

/** Memory shared by programs, because they run one at a time. */
export interface SharedSpace {
  readonly scratch: ScratchPool
  /** Address of `bytes` bytes for partial gradients. */
  partialGradients(bytes: number): number
}

export interface LaunchOptions {
  /** Address of a flag in the memory of the GPU. If the flag is 0, the launches do nothing. 0: no flag. */
  readonly gate?: number
  /** Whether matrix products round their factors to TF32. */
  readonly tf32?: boolean
}

const END = 0

/** Compiled program: lists of steps in the memory of the GPU. */
export class CudaProgram implements Program {
  readonly maxRows: number
  /** Number of consecutive rows that belong together. */
  readonly chunk: number
  readonly owner: Memory
  readonly #driver: Driver
  readonly #sums: readonly string[]
  readonly #setup: number
  readonly #rows: number
  readonly #finish: number
  readonly #gradient: { readonly address: number; readonly length: number; readonly stride: number }
  readonly #partialGradients: number
  readonly #partialSums: number

  constructor(driver: Driver, memory: Memory, space: SharedSpace, spec: ProgramSpec, maxRows: number) {
    const { setup = [], rows, gradient, finish = [] } = spec
    this.owner = memory
    this.maxRows = maxRows
    this.chunk = chunkOf(spec)
    this.#driver = driver
    this.#sums = sumNames(spec)
    const length = gradient?.length ?? 0
    const plan = planGradient(rows, length)
    const places = placesOf(memory, space.scratch.place(rows, maxRows), this.#sums, plan, maxRows)
    const place = (steps: readonly Encodable[]) => placeSteps(driver, memory, steps, places)
    this.#setup = place(setup)
    this.#rows = place([...clears(plan), ...rows])
    this.#finish = place(finish)
    const blocks = Math.min(BLOCKS.rows, Math.ceil(maxRows / passRows(this.chunk)))
    const stride = Math.ceil(length / 32) * 32
    this.#gradient = { address: gradient ? memory.typed(gradient, 'f32') : 0, length, stride }
    this.#partialGradients = space.partialGradients(blocks * stride * 4)
    this.#partialSums = memory.reserve(blocks * this.#sums.length * 8)
  }

  /** Unique number of the program on its device: the address of its sums. */
  get id(): number {
    return this.#partialSums
  }

  /** Runs the program. Result: its sums by name. */
  run(recorder: Recorder, rows: number, scale: number, tf32: boolean): Record<string, number> {
    const { blocks } = this.#division(rows)
    const bytes = 8 * blocks * this.#sums.length
    recorder.play('run', [this.id, rows, real(scale), Number(tf32)], () => {
      this.launch(rows, scale, { tf32 })
      if (bytes > 0) this.#driver.request(this.#partialSums, bytes)
    })
    return this.#totals(bytes > 0 ? this.#driver.receive(bytes).slice() : new Uint8Array(0))
  }

  /** Launches a run. */
  launch(rows: number, scale: number, { gate = 0, tf32 = false }: LaunchOptions = {}): void {
    const { ofPass, passes, blocks } = this.#division(rows)
    this.#tasks(this.#setup, gate)
    const { address, length, stride } = this.#gradient
    const partial = [this.#partialGradients, stride, this.#partialSums, this.#sums.length]
    if (this.#rows !== 0)
      this.#driver.launch('runRows', blocks, [
        this.#rows,
        rows,
        ofPass,
        passes,
        ...partial,
        gate,
        Number(tf32),
      ])
    if (length > 0) {
      const sum = [address, length, this.#partialGradients, stride, blocks, real(scale), gate]
      this.#driver.launch('sumGradients', spread(length), sum)
    }
    this.#tasks(this.#finish, gate)
  }

  /** Rows per pass, passes per block, and blocks of a run. */
  #division(rows: number) {
    const ofPass = passRows(this.chunk)
    const all = Math.ceil(rows / ofPass)
    const passes = Math.ceil(all / BLOCKS.rows)
    return { ofPass, passes, blocks: Math.ceil(all / passes) }
  }

  /** Sums over the blocks, by name. @param partial sums of each block */
  #totals(partial: Uint8Array): Record<string, number> {
    const names = this.#sums
    const totals = new Float64Array(names.length)
    new Float64Array(partial.buffer).forEach((value, i) => (totals[i % names.length] += value))
    return Object.fromEntries(names.map((name, i) => [name, totals[i]]))
  }

  #tasks(steps: number, gate: number): void {
    if (steps !== 0) this.#driver.launch('runTasks', BLOCKS.vectors, [steps, gate])
  }
}

/** Number of blocks for an operation on vectors. */
export const spread = (length: number): number => Math.max(1, Math.min(BLOCKS.rows, Math.ceil(length / 256)))

/** Entries of a block's gradient that no step stores: accumulated ones, and those without a step. */
function clears({ cleared, unwritten }: GradientPlan): Encodable[] {
  return [...cleared, ...unwritten].map(({ from, to }) => ({
    op: 'clearBlock',
    offset: from,
    length: to - from,
  }))
}

function placesOf(
  memory: Memory,
  scratch: ReadonlyMap<Scratch, number>,
  sums: readonly string[],
  { accumulating }: GradientPlan,
  maxRows: number,
): Places {
  return {
    maxRows,
    address: (operand) => (isScratch(operand) ? scratch.get(operand)! : memory.addressOf(operand)),
    packed: (_, weight, outputs, inputs) => weightOf(memory, weight, outputs * inputs),
    sums,
    accumulates: (step) => accumulating.has(step as RowStep),
  }
}

/** Address of a weight. @throws RangeError if it is too small */
function weightOf(memory: Memory, weight: Tensor, length: number): number {
  if (weight.length < length)
    throw new RangeError(`a weight of ${weight.length} elements, must have at least ${length}`)
  return memory.typed(weight, 'f32')
}

/** Address of a list of steps in the memory of the GPU, or 0 for an empty list. */
function placeSteps(
  driver: Driver,
  memory: Memory,
  steps: readonly (Encodable | SetupStep | FinishStep)[],
  places: Places,
): number {
  if (steps.length === 0) return 0
  const values = [...steps.flatMap((step) => encode(step, places)), END]
  const words = new DataView(new ArrayBuffer(8 * values.length))
  values.forEach((value, i) => {
    if (typeof value === 'number') words.setBigInt64(8 * i, BigInt(value), true)
    else words.setFloat64(8 * i, value.real, true)
  })
  const address = memory.reserve(words.byteLength)
  driver.upload(new Uint8Array(words.buffer), address)
  return address
}

/** Words of a step: its code, the number of its arguments, and the arguments. */
function encode(step: Encodable, places: Places): KernelArgument[] {
  const parameters = parametersOf(step.op).map(({ kind, argument: [name, argument] }) => {
    const value = argumentValue(step, name, argument, places)
    return kind === 'real' ? real(value) : value
  })
  return [CODES[step.op], parameters.length, ...parameters]
}
