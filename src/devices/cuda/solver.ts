import type { LinearSystem, SolveOptions, SolveResult } from '../device.js'
import { real, type Driver, type KernelArgument } from './driver.js'
import { BLOCKS, SOLVE } from './layout.js'
import type { Memory } from './memory.js'
import type { CudaProgram } from './program.js'
import type { Recorder } from './recorder.js'

/** A solve with the addresses that its launches use. */
interface Plan {
  readonly system: LinearSystem
  readonly options: SolveOptions
  readonly program: CudaProgram
  readonly passes: readonly { readonly program: CudaProgram; readonly rows: number }[]
  readonly state: number
}

/**
 * Conjugate gradients without the host. All iterations are launched at once; launches after the last iteration do nothing.
 * Matrix products are always f32, because the condition of a system would amplify the rounding of TF32.
 */
export class Solver {
  readonly #driver: Driver
  readonly #memory: Memory
  readonly #recorder: Recorder
  #state = { address: 0, iterations: -1 }

  constructor(driver: Driver, memory: Memory, recorder: Recorder) {
    this.#driver = driver
    this.#memory = memory
    this.#recorder = recorder
  }

  /** @param own the device's program for a program of a system @throws RangeError for vectors of different lengths */
  solve(system: LinearSystem, options: SolveOptions, own: (program: unknown) => CudaProgram): SolveResult {
    const passes = system.preconditioner?.passes ?? []
    const plan: Plan = {
      system,
      options,
      program: own(system.program),
      passes: passes.map(({ program, rows }) => ({ program: own(program), rows })),
      state: this.#stateFor(options.iterations),
    }
    const bytes = stateBytes(options.iterations)
    this.#recorder.play('solve', this.#valuesOf(plan), () => {
      this.#launch(plan)
      this.#driver.request(plan.state, bytes)
    })
    return resultOf(plan, this.#driver.receive(bytes).slice())
  }

  /** Values that identify a solve. */
  #valuesOf({ system, options, program, passes, state }: Plan): KernelArgument[] {
    const { scale, damping, rows } = system
    const numbers = [scale, damping, options.tolerance].map(real)
    const programs = [program.id, rows, ...passes.flatMap((pass) => [pass.program.id, pass.rows])]
    const vectors = this.#vectors(system)
    return [state, options.iterations, system.b.length, vectors.length, ...vectors, ...numbers, ...programs]
  }

  #stateFor(iterations: number): number {
    if (iterations > this.#state.iterations)
      this.#state = { address: this.#memory.reserve(stateBytes(iterations)), iterations }
    return this.#state.address
  }

  #vectors({ direction, product, residual, b, x, preconditioner }: LinearSystem): number[] {
    return this.#memory.vectors(b, x, residual, direction, product, preconditioner?.image ?? residual)
  }

  #launch({ system, options, program, passes, state }: Plan): void {
    const [b, x, residual, direction, product, image] = this.#vectors(system)
    const { length } = system.b
    const blocks = Math.max(1, Math.min(BLOCKS.solve, Math.ceil(length / 256)))
    const call = (kernel: string, ...values: KernelArgument[]) =>
      this.#driver.launch(kernel, blocks, [state, length, ...values])
    const isOpen = (i: number) =>
      state + 8 * (SOLVE.iterations + i * SOLVE.record.length + SOLVE.record.isOpen)
    call('solveStart', b, x, residual, direction)
    for (let i = 0; i < options.iterations; i++) {
      for (const pass of passes) pass.program.launch(pass.rows, 1, { gate: i > 0 ? isOpen(i - 1) : 0 })
      const hasImage = system.preconditioner ? 1 : 0
      if (hasImage) call('solveSlope', residual, image)
      call('solveDirection', i, real(options.tolerance), image, direction, hasImage)
      program.launch(system.rows, system.scale, { gate: isOpen(i) })
      call('solveCurvature', i, real(system.damping), direction, product)
      call('solveAdvance', i, direction, product, x, residual)
    }
    call('solveGain', b, x, residual)
  }
}

/** @param bytes state after the launches */
function resultOf({ system, options: { iterations } }: Plan, bytes: Uint8Array): SolveResult {
  const numbers = new Float64Array(bytes.buffer)
  const flags = new Int32Array(bytes.buffer)
  const { squared, isOpen, length } = SOLVE.record
  const records = Array.from({ length: iterations }, (_, i) => SOLVE.iterations + i * length)
  const taken = records.filter((at) => flags[2 * (at + isOpen)] !== 0)
  const blocks = Math.max(1, Math.min(BLOCKS.solve, Math.ceil(system.b.length / 256)))
  const gains = numbers.subarray(SOLVE.gains, SOLVE.gains + blocks)
  return {
    residuals: taken.map((at) => numbers[at + squared]),
    curvature: gains.reduce((total, gain) => total + gain, 0),
  }
}

const stateBytes = (iterations: number) =>
  8 * (SOLVE.iterations + Math.max(1, iterations) * SOLVE.record.length)
