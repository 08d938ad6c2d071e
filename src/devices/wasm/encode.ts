import { splitSeed } from '../../kernels/index.js'
import { ACTIVATIONS, type ProgramSpec, type RowStep, type SetupStep } from '../steps.js'
import type { Tensor } from '../tensor.js'

/** Operation codes, as in assembly/program.ts. */
const OP = {
  end: 0,
  input: 1,
  gather: 2,
  layerNorm: 3,
  layerNormTangent: 4,
  layerNormAdjoint: 5,
  layerNormWeights: 6,
  linear: 7,
  linearWeights: 8,
  biasWeights: 9,
  activation: 10,
  multiply: 11,
  gaussianLogProb: 12,
  gaussianSample: 13,
  gaussianSurrogate: 14,
  gaussianKl: 15,
  gaussianFisher: 16,
  valueLoss: 17,
  packTransposed: 18,
  packPlain: 19,
  gaussianTable: 20,
  reduce: 21,
} as const

const PANEL = 8
/** Parameters a reduction task adds up. */
const REDUCE_SPAN = 4096
const HEADER_BYTES = 40
const PHASE_BYTES = 16
const ROWS_PHASE = 0
const TASKS_PHASE = 1

export interface EncodeTarget {
  readonly rowsPerBlock: number
  /** Reserves device memory. */
  readonly reserve: (bytes: number) => number
  /** Address of [blocks, stride] f32 for partial gradients, and of [blocks, sums] f64. */
  readonly partialGradients: number
  readonly partialSums: number
}

// Words of 32 bits, where an f64 takes two.
class Words {
  readonly #words: number[] = []

  int(...values: number[]): this {
    this.#words.push(...values)
    return this
  }

  float64(value: number): this {
    const [low, high] = new Uint32Array(Float64Array.of(value).buffer)
    this.#words.push(low, high)
    return this
  }

  toArray(): number[] {
    return this.#words
  }
}

const address = (tensor: Tensor | null): number => tensor?.address ?? 0

/** Floats between two blocks' partial gradients: a cache line's multiple. */
export function gradientStride(length: number): number {
  return Math.ceil(length / 16) * 16
}

/** Collects the packed copies of weights that a program's products read, each made once per run. */
class Packing {
  readonly tasks: number[][] = []
  readonly #known = new Map<string, number>()
  readonly #reserve: (bytes: number) => number

  constructor(reserve: (bytes: number) => number) {
    this.#reserve = reserve
  }

  /** Address of `weight` [outputs, inputs] packed for y = x w^T (transposed) or gx = gy w (plain). */
  of(weight: Tensor, outputs: number, inputs: number, transposed: boolean): number {
    const key = `${weight.address} ${transposed}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const [columns, depth] = transposed ? [outputs, inputs] : [inputs, outputs]
    const packed = this.#reserve(Math.ceil(columns / PANEL) * PANEL * depth * 4)
    this.tasks.push([
      transposed ? OP.packTransposed : OP.packPlain,
      weight.address,
      outputs,
      inputs,
      packed,
      OP.end,
    ])
    this.#known.set(key, packed)
    return packed
  }
}

function encodeRow(step: RowStep, words: Words, packing: Packing): void {
  switch (step.op) {
    case 'input':
      words.int(
        OP.input,
        step.raw.address,
        step.size,
        step.agentId?.index ?? 0,
        step.agentId?.count ?? 0,
        step.standardise ? 1 : 0,
        step.out.address,
      )
      break
    case 'gather':
      words.int(OP.gather, step.source.address, step.index.address, step.width, step.out.address)
      break
    case 'layerNorm':
      words.int(
        OP.layerNorm,
        step.x.address,
        step.gamma.address,
        step.beta.address,
        address(step.xhat),
        address(step.rstd),
        step.out.address,
        step.width,
      )
      break
    case 'layerNormTangent':
      words.int(
        OP.layerNormTangent,
        address(step.dx),
        step.xhat.address,
        step.rstd.address,
        step.gamma.address,
        step.dgamma.address,
        step.dbeta.address,
        step.out.address,
        step.width,
      )
      break
    case 'layerNormAdjoint':
      words.int(
        OP.layerNormAdjoint,
        step.g.address,
        step.xhat.address,
        step.rstd.address,
        step.gamma.address,
        step.gx.address,
        step.width,
      )
      break
    case 'layerNormWeights':
      words.int(OP.layerNormWeights, step.g.address, step.xhat.address, step.width, step.gamma, step.beta)
      break
    case 'linear': {
      const packed = packing.of(step.weight, step.outputs, step.inputs, true)
      words.int(OP.linear, step.x.address, step.inputs, packed, address(step.bias))
      words.int(step.y.address, step.outputs, step.accumulate ? 1 : 0)
      break
    }
    case 'linearAdjoint': {
      const packed = packing.of(step.weight, step.outputs, step.inputs, false)
      words.int(OP.linear, step.gy.address, step.outputs, packed, 0, step.gx.address, step.inputs, 0)
      break
    }
    case 'linearWeights':
      words.int(
        OP.linearWeights,
        step.x.address,
        step.inputs,
        step.gy.address,
        step.outputs,
        step.weight,
        OP.biasWeights,
        step.gy.address,
        step.outputs,
        step.bias,
      )
      break
    case 'activation':
      words.int(
        OP.activation,
        step.z.address,
        step.y.address,
        address(step.derivative),
        step.width,
        ACTIVATIONS.indexOf(step.kind),
      )
      break
    case 'multiply':
      words.int(OP.multiply, step.a.address, step.b.address, step.out.address, step.width)
      break
    case 'gaussianLogProb':
      words.int(
        OP.gaussianLogProb,
        step.mean.address,
        step.action.address,
        step.table.address,
        step.size,
        step.logProb.address,
      )
      break
    case 'gaussianSample': {
      const [low, high] = splitSeed(step.seed)
      words.int(OP.gaussianSample, step.mean.address, step.table.address, step.size, low, high, step.purpose)
      words.int(step.streams.address, step.steps.address, step.action.address, step.logProb.address)
      break
    }
    case 'gaussianSurrogate':
      words
        .int(
          OP.gaussianSurrogate,
          step.mean.address,
          step.table.address,
          step.size,
          step.action.address,
          step.oldLogProb.address,
          step.factor.address,
          step.weight.address,
        )
        .float64(step.clip ?? -1)
        .int(
          address(step.gradient?.mean ?? null),
          step.gradient?.logStd ?? -1,
          address(step.logProb),
          step.sum,
        )
      break
    case 'gaussianKl':
      words.int(
        OP.gaussianKl,
        step.oldMean.address,
        step.oldTable.address,
        step.mean.address,
        step.table.address,
        step.size,
        step.weight.address,
        step.sum,
      )
      break
    case 'gaussianFisher':
      words.int(
        OP.gaussianFisher,
        step.dmean.address,
        step.dlogStd.address,
        step.table.address,
        step.size,
        step.weight.address,
        step.gmean.address,
        step.logStd,
      )
      break
    case 'valueLoss':
      words
        .int(OP.valueLoss, step.value.address, step.old.address, step.target.address, step.weight.address)
        .float64(step.clip ?? -1)
        .float64(step.huberDelta)
        .int(step.gvalue.address, step.sum)
      break
  }
}

function encodeSetup(step: SetupStep): number[] {
  return new Words()
    .int(OP.gaussianTable, step.logStd.address)
    .float64(step.x)
    .float64(step.y)
    .int(step.table.address, step.size, OP.end)
    .toArray()
}

/** A program's words, with the addresses they have once written to `address`. */
export interface EncodedProgram {
  readonly address: number
  readonly words: Int32Array
}

/**
 * Writes a pass down as words: a phase of tasks that prepares tables and packs weights, a phase over the rows, and a
 * phase of tasks that adds up the blocks' gradients.
 */
export function encodeProgram(spec: ProgramSpec, target: EncodeTarget): EncodedProgram {
  const packing = new Packing(target.reserve)
  const rows = encodeRows(spec, packing)
  const before = [...(spec.setup ?? []).map(encodeSetup), ...packing.tasks]
  const after: number[][] = []
  const gradient = spec.gradient
  for (let from = 0; gradient && from < gradient.length; from += REDUCE_SPAN) {
    const to = Math.min(from + REDUCE_SPAN, gradient.length)
    after.push([OP.reduce, from, to, gradient.address, OP.end])
  }
  const phases = [tasksPhase(before), rows, tasksPhase(after)].filter((phase) => phase.groups.length > 0)
  const encoded = assemble(phases, target.rowsPerBlock, target.reserve)
  encoded.words[3] = target.partialGradients
  encoded.words[4] = gradient ? gradientStride(gradient.length) : 0
  encoded.words[5] = target.partialSums
  encoded.words[6] = spec.sums ?? 0
  return encoded
}

/** Writes passes whose tables and packed weights one separate program prepares for all of them. */
export function encodePrepared(
  specs: readonly ProgramSpec[],
  rows: readonly number[],
  rowsPerBlock: number,
  reserve: (bytes: number) => number,
): { preparation: EncodedProgram; passes: EncodedProgram[] } {
  const packing = new Packing(reserve)
  const setup = new Map<number, number[]>()
  const passes = specs.map((spec, i) => {
    if (spec.gradient || spec.sums) throw new Error('a prepared pass has no gradient and no sums')
    for (const step of spec.setup ?? []) setup.set(step.table.address, encodeSetup(step))
    const encoded = assemble([encodeRows(spec, packing)], rowsPerBlock, reserve)
    encoded.words[0] = rows[i]!
    return encoded
  })
  const preparation = assemble([tasksPhase([...setup.values(), ...packing.tasks])], rowsPerBlock, reserve)
  preparation.words[0] = 1
  return { preparation, passes }
}

interface Phase {
  readonly kind: typeof ROWS_PHASE | typeof TASKS_PHASE
  /** Words of each task, or of the one list of row operations. */
  readonly groups: readonly (readonly number[])[]
}

function tasksPhase(groups: readonly (readonly number[])[]): Phase {
  return { kind: TASKS_PHASE, groups }
}

function encodeRows(spec: ProgramSpec, packing: Packing): Phase {
  const words = new Words()
  for (const step of spec.rows) encodeRow(step, words, packing)
  return { kind: ROWS_PHASE, groups: [words.int(OP.end).toArray()] }
}

// Lays out header, phases, then each phase's operations; a task phase has a table of their addresses first.
function assemble(
  phases: readonly Phase[],
  rowsPerBlock: number,
  reserve: (bytes: number) => number,
): EncodedProgram {
  const tableLength = ({ kind, groups }: Phase) => (kind === TASKS_PHASE ? groups.length : 0)
  const head = (HEADER_BYTES + phases.length * PHASE_BYTES) / 4
  const length = phases.reduce(
    (sum, phase) => sum + tableLength(phase) + phase.groups.reduce((n, group) => n + group.length, 0),
    head,
  )
  const words = new Int32Array(length)
  const address = reserve(words.byteLength)
  words[1] = rowsPerBlock
  words[2] = phases.length
  let next = head
  phases.forEach((phase, i) => {
    const count = tableLength(phase)
    words.set([phase.kind, address + next * 4, count], (HEADER_BYTES + i * PHASE_BYTES) / 4)
    let at = next + count
    phase.groups.forEach((group, g) => {
      if (count > 0) words[next + g] = address + at * 4
      words.set(group, at)
      at += group.length
    })
    next = at
  })
  return { address, words }
}
