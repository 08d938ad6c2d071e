import { Arena, type KernelExports, type Kernels } from '../../../kernels/index.js'
import type { Tensor } from '../../tensor.js'
import { WasmDevice } from '../device.js'
import { ROWS_PER_BLOCK } from '../program.js'
import { KERNEL_CASES, type CaseArgument } from './kernel-cases.js'
import { everyOperation } from './operation-cases.js'

/** Passes over all cases. In the first, functions run in an engine's first tier. */
const PASSES = 2
/** Numbers of elements of vectors, with every remainder of 8. */
const LENGTHS = [1, 2, 3, 4, 5, 7, 8, 14, 16, 19, 31, 32, 69]
/** Length of the longest array argument: the partial sums of three blocks. */
const LONGEST = 3 * Math.max(...LENGTHS)
/** Maximum number of array arguments. */
const ARRAYS = 8

/** Programs, and the row counts of their runs. */
const PROGRAMS = [
  // Sizes below, at and above one vector of 128 or 256 bits and the panels of products.
  { sizes: [1, 3, 4, 7, 8, 12, 16, 17, 28, 33], steps: 12, chunk: 1, rows: 6, runs: [1, 6] },
  // Two blocks: one with several groups of rows, one with rows beyond a multiple of every tile.
  { sizes: [33, 20], steps: 2, chunk: 3, rows: ROWS_PER_BLOCK + 7, runs: [ROWS_PER_BLOCK + 7] },
]

/** Special values: zeros, subnormal numbers, and numbers that are large for an activation. */
const SPECIAL = [0, -0, 1e-40, -1e-40, 1.5e-45, 9, -9]
/** Special values for functions of one number. */
const EXTREME = [...SPECIAL, Infinity, -Infinity, 3e38, -3e38, 88.7, -103.9, 1e-30]

/** Reproducible pseudorandom numbers. */
class Numbers {
  #state = 1

  /** In [0, 1). */
  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0
    return (this.#state >>> 8) / 0x1000000
  }

  /** Fills an array with ordinary numbers in [-2, 2) and some special ones. */
  fill(values: Float32Array, special: readonly number[]): void {
    for (let i = 0; i < values.length; i++)
      values[i] = i % 5 === 3 ? special[((i - 3) / 5) % special.length] : 4 * this.next() - 2
  }
}

/**
 * Runs every kernel and every operation of programs on two instances of the kernels. Compares their results and memory
 * contents bit for bit. Overwrites both memories.
 * @returns the first kernel that differs, or null
 */
export function firstDifference(one: Kernels, other: Kernels): string | null {
  for (let pass = 0; pass < PASSES; pass++) {
    const difference = differenceOfKernels([one, other]) ?? differenceOfPrograms([one, other])
    if (difference !== null) return difference
  }
  return null
}

function differenceOfKernels(pair: readonly Kernels[]): string | null {
  const cases = Object.entries(KERNEL_CASES) as [keyof KernelExports, readonly (readonly CaseArgument[])[]][]
  const [one, other] = pair.map((kernels) => new Caller(kernels))
  for (const [name, calls] of cases) {
    for (const call of calls) {
      for (const n of call.includes('n') ? LENGTHS : [1]) {
        const [result, expected] = [other, one].map((caller) => caller.call(name, call, n))
        if (!Object.is(result, expected) || !equal(one.bytes, other.bytes)) return `${name}, ${n} elements`
      }
    }
  }
  return null
}

/** Calls exports with newly filled arrays. */
class Caller {
  readonly bytes: Uint8Array
  readonly #kernels: Kernels
  readonly #arena: Arena
  readonly #arrays: readonly number[]

  constructor(kernels: Kernels) {
    this.#kernels = kernels
    this.#arena = new Arena(kernels)
    const start = this.#arena.mark()
    this.#arrays = Array.from({ length: ARRAYS }, () => this.#arena.alloc(8 * LONGEST))
    this.bytes = this.#arena.u8(start, this.#arena.used)
  }

  call(name: keyof KernelExports, call: readonly CaseArgument[], n: number): number {
    const numbers = new Numbers()
    this.bytes.fill(0)
    const values = call.map((argument, i) => {
      if (argument === 'n') return n
      if (typeof argument === 'number') return argument
      const values = this.#arena.f32(this.#arrays[i], LONGEST)
      if (argument === 'f32') numbers.fill(values, SPECIAL)
      if (argument === 'extreme') numbers.fill(values, EXTREME)
      if (argument === 'weight') values.forEach((_, j) => (values[j] = j % 3 === 1 ? 0 : 1))
      return values.byteOffset
    })
    const kernel = this.#kernels.exports[name] as (...values: number[]) => number | undefined
    return kernel(...values) ?? 0
  }
}

function differenceOfPrograms(pair: readonly Kernels[]): string | null {
  const devices = pair.map((kernels) => new WasmDevice(kernels))
  for (const { runs, ...options } of PROGRAMS) {
    const programs = devices.map((device) => {
      const numbers = new Numbers()
      const fill = (tensor: Tensor) => fillTensor(device, tensor, numbers)
      return device.compile(everyOperation(device, { ...options, fill }), options.rows)
    })
    for (const rows of runs) {
      devices.forEach((device, i) => device.run(programs[i], rows, 0.7))
      if (!sameMemory(devices)) return `a program of all operations, ${rows} rows`
    }
  }
  devices.forEach(solveDiagonal)
  return sameMemory(devices) ? null : 'solve'
}

/** f32 tensors hold ordinary and special numbers, f64 tensors positive numbers, indices are 0. */
function fillTensor(device: WasmDevice, tensor: Tensor, numbers: Numbers): void {
  const values = device.view(tensor)
  if (values instanceof Float32Array) numbers.fill(values, SPECIAL)
  if (values instanceof Float64Array) values.forEach((_, i) => (values[i] = 0.5 + numbers.next()))
}

/** Conjugate gradients on a diagonal matrix, without a preconditioner and with one. */
function solveDiagonal(device: WasmDevice): void {
  const n = 69
  const vector = () => device.tensor('f32', n)
  const [diagonal, direction, product, residual, b, x, image] = Array.from({ length: 7 }, vector)
  device.write(
    diagonal,
    Array.from({ length: n }, (_, i) => 1 + (i % 7)),
  )
  device.write(
    b,
    Array.from({ length: n }, (_, i) => (i % 5) - 1.3),
  )
  const rows = [{ op: 'multiply', a: direction, b: diagonal, out: product, width: n }] as const
  const system = { program: device.compile({ rows }, 1), rows: 1, scale: 1, damping: 0.1 }
  const damp = [{ op: 'multiply', a: residual, b: diagonal, out: image, width: n }] as const
  const pass = { program: device.compile({ rows: damp }, 1), rows: 1 }
  for (const preconditioner of [null, { passes: [pass], image }]) {
    const vectors = { direction, product, residual, b, x, preconditioner }
    device.solve({ ...system, ...vectors }, { iterations: 4, tolerance: 1e-10 })
  }
}

function sameMemory([one, other]: readonly WasmDevice[]): boolean {
  const [a, b] = [one, other].map(({ arena }) => arena.u8(arena.mark() - arena.used, arena.used))
  return equal(a, b)
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
