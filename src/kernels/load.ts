import { HatrpoError } from '../errors.js'
import { readAssembly } from './asset.js'
import type { KernelExports } from './exports.js'

/** Pages (64 KiB) that the module's memory import allows. */
const MAXIMUM_PAGES = 65536

/** Instance of the kernels module with its memory. */
export interface Kernels {
  readonly exports: KernelExports
  readonly memory: WebAssembly.Memory
  /** Compiled code, for `loadKernels` in other threads. */
  readonly module: WebAssembly.Module
}

/** Modules with the same exports and the same bits. `kernels-wide` suits engines that join vectors into wider ones. */
export type KernelModule = 'kernels' | 'kernels-wide'

let chosen: KernelModule = 'kernels'
let compiled: Promise<WebAssembly.Module> | undefined

/** Chooses the module that this thread compiles when kernels are next needed. */
export function chooseKernels(name: KernelModule): void {
  chosen = name
  compiled = undefined
}

/** Compiled kernels module. It is compiled once per thread. */
export function compileKernels(): Promise<WebAssembly.Module> {
  compiled ??= readAssembly(chosen)
    .then((bytes) => WebAssembly.compile(bytes))
    .catch((error: unknown) => {
      compiled = undefined
      throw error
    })
  return compiled
}

/** Shared memory of one page that can grow to `maximumPages` pages of 64 KiB. */
export function createKernelMemory(maximumPages: number = MAXIMUM_PAGES): WebAssembly.Memory {
  if (!Number.isInteger(maximumPages) || maximumPages < 1 || maximumPages > MAXIMUM_PAGES) {
    throw new HatrpoError(`maximumPages ${maximumPages}: must be an integer from 1 to ${MAXIMUM_PAGES}`)
  }
  return new WebAssembly.Memory({ initial: 1, maximum: maximumPages, shared: true })
}

/**
 * Instantiates the kernels. Threads that pass the same memory share its contents. The module has no data segments, so a
 * further instance leaves the contents unchanged.
 *
 * @param options.memory shared memory from `createKernelMemory`; a new one by default
 * @param options.module compiled code from another thread; read and compiled here by default
 */
export async function loadKernels(
  options: { memory?: WebAssembly.Memory; module?: WebAssembly.Module } = {},
): Promise<Kernels> {
  const memory = options.memory ?? createKernelMemory()
  const module = options.module ?? (await compileKernels())
  const instance = await WebAssembly.instantiate(module, { env: { memory } })
  return { exports: instance.exports as unknown as KernelExports, memory, module }
}
