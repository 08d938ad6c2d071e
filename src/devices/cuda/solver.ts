import type { LinearSystem, SolveOptions, SolveResult } from '../device.js'
import { real, type Driver, type Graph, type KernelArgument } from './driver.js'
import { BLOCKS, SOLVE } from './layout.js'
import type { Memory } from './memory.js'
import type { CudaProgram } from './program.js'

/** Systems whose launches are kept. */
const KEPT = 32

/** A solve with the addresses that its launches have. */
interface Plan {
  readonly system: LinearSystem
  readonly options: SolveOptions
  readonly program: CudaProgram
  readonly passes: readonly { readonly program: CudaProgram; readonly rows: number }[]
  readonly state: number
  graph: Graph | null
}

/**
 * Conjugate gradients without the host: all launches of all iterations are made at once, and those after the last iteration
 * do nothing. The launches of a system are recorded when it is solved for the second time, and replayed from there on.
 */
export class Solver {
  readonly #driver: Driver
  readonly #memory: Memory
  readonly #plans = new Map<string, Plan>()
  #state = { address: 0, iterations: -1 }
  readonly #ids = new WeakMap<CudaProgram, number>()
  #count = 0

  constructor(driver: Driver, memory: Memory) {
    this.#driver = driver
    this.#memory = memory
  }

  /** @param own the device's own programs of those of a system @throws RangeError for vectors of different lengths */
  solve(system: LinearSystem, options: SolveOptions, own: (program: unknown) => CudaProgram): SolveResult {
    const plan = this.#planOf(system, options, own)
    if (plan.graph) this.#driver.replay(plan.graph)
    else this.#launch(plan)
    return this.#result(plan)
  }

  #planOf(system: LinearSystem, options: SolveOptions, own: (program: unknown) => CudaProgram): Plan {
    const program = own(system.program)
    const passes = (system.preconditioner?.passes ?? []).map((pass) => ({
      program: own(pass.program),
      rows: pass.rows,
    }))
    const addresses = this.#vectors(system)
    const numbers = [system.rows, system.scale, system.damping, options.iterations, options.tolerance]
    const programs = [{ program, rows: system.rows }, ...passes].map((pass) => [
      this.#idOf(pass.program),
      pass.rows,
    ])
    const key = JSON.stringify([addresses, system.b.length, numbers, programs])
    const known = this.#plans.get(key)
    if (known) {
      // The kernels have run, so that all of them are loaded: nothing else happens while the launches are recorded.
      known.graph ??= this.#driver.capture(() => this.#launch(known))
      return known
    }
    const plan: Plan = {
      system,
      options,
      program,
      passes,
      state: this.#stateFor(options.iterations),
      graph: null,
    }
    this.#plans.set(key, plan)
    this.#forgetOldest()
    return plan
  }

  #idOf(program: CudaProgram): number {
    const id = this.#ids.get(program) ?? this.#count++
    this.#ids.set(program, id)
    return id
  }

  #forgetOldest(): void {
    const [[key, { graph }]] = this.#plans
    if (this.#plans.size <= KEPT) return
    this.#plans.delete(key)
    if (graph) this.#driver.forget(graph)
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
      for (const pass of passes) pass.program.launch(pass.rows, 1, i > 0 ? isOpen(i - 1) : 0)
      const hasImage = system.preconditioner ? 1 : 0
      if (hasImage) call('solveSlope', residual, image)
      call('solveDirection', i, real(options.tolerance), image, direction, hasImage)
      program.launch(system.rows, system.scale, isOpen(i))
      call('solveCurvature', i, real(system.damping), direction, product)
      call('solveAdvance', i, direction, product, x, residual)
    }
    call('solveGain', b, x, residual)
  }

  #result({ system, options: { iterations }, state }: Plan): SolveResult {
    const bytes = new Uint8Array(stateBytes(iterations))
    this.#driver.download(state, bytes)
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
}

const stateBytes = (iterations: number) =>
  8 * (SOLVE.iterations + Math.max(1, iterations) * SOLVE.record.length)
