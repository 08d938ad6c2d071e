import { Arena } from '../../src/kernels/arena.js'
import { loadKernels } from '../../src/kernels/load.js'
import type { KernelExports } from '../../src/kernels/exports.js'
import type { KernelName } from '../../src/devices/operations/table.js'

const { exports, memory } = await loadKernels()
export const arena = new Arena({ exports, memory })

/** Kernels that programs call. Arguments are in the order of assembly/; omitted trailing arguments are 0. */
type StepKernels = Readonly<Record<KernelName, (...values: number[]) => void>>
export const kernels = exports as KernelExports & StepKernels

/** Copies numbers to the memory of the kernels as f32. The byteOffset of the view is their address. */
export function f32(values: ArrayLike<number> | number): Float32Array {
  const n = typeof values === 'number' ? values : values.length
  const view = arena.f32(arena.alloc(4 * n), n)
  if (typeof values === 'number') view.fill(0)
  else view.set(values)
  return view
}

/** Copies bytes to the memory of the kernels. */
export function u8(values: ArrayLike<number>): Uint8Array {
  const view = arena.u8(arena.alloc(values.length), values.length)
  view.set(values)
  return view
}

/** f64[n] of zeros in the memory of the kernels. */
export function f64(n: number): Float64Array {
  return arena.f64(arena.alloc(8 * n), n).fill(0)
}

/** i32[n] of zeros in the memory of the kernels. */
export function i32(n: number): Int32Array {
  return arena.i32(arena.alloc(4 * n), n).fill(0)
}

type ArrayKernel = { [K in keyof KernelExports]: K extends `${string}Array` ? K : never }[keyof KernelExports]

/** Applies an elementwise kernel to a list of numbers. */
export function apply(name: ArrayKernel, values: ArrayLike<number>): Float32Array {
  const mark = arena.mark()
  const x = f32(values)
  const out = f32(values.length)
  kernels[name](x.byteOffset, out.byteOffset, values.length)
  const copy = Float32Array.from(out)
  arena.release(mark)
  return copy
}

/** Generator of test inputs (mulberry32): numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Bits of each f32, with the same value for every NaN, because NaN payloads differ between engines. */
export function bits(values: Float32Array): Uint32Array {
  const result = new Uint32Array(Float32Array.from(values).buffer)
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) result[i] = 0x7fc00000
  return result
}
