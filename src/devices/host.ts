import type { Arena, Kernels } from '../kernels/index.js'
import type { Device, Program } from './device.js'
import type { ProgramSpec } from './steps.js'
import type { HostArray, Tensor } from './tensor.js'

/** Handles with which another thread attaches to the same memory. */
export interface SharedKernels {
  readonly memory: WebAssembly.Memory
  readonly module: WebAssembly.Module
}

/**
 * Device whose tensors lie in shared WebAssembly memory, where rollout threads read and write them by address.
 * Rollouts always have one; the learner uses it too unless the run names another device.
 */
export interface HostDevice extends Device {
  readonly kernels: Kernels
  /** Do not compile between `arena.mark` and `arena.release`: later programs reuse the scratch memory of earlier ones. */
  readonly arena: Arena
  readonly shared: SharedKernels
  /** Whether the device only measures a run's memory. Parameters are then allocated but not initialised. */
  readonly measuring: boolean
  /** Address of the control block that helper threads wait on. */
  readonly control: number
  /** Byte address of a tensor. */
  addressOf(tensor: Tensor): number
  /** The tensor's own memory, as a view that stays valid. */
  view(tensor: Tensor): HostArray
  f32(tensor: Tensor): Float32Array
  i32(tensor: Tensor): Int32Array
  /**
   * Compiles passes without gradient or sums that share one preparation (packed weights, tables). `prepare` runs after
   * each change of parameters. A pass then runs any number of times, also on other threads (`entryOf`, `runAlone`).
   */
  compilePrepared(
    specs: readonly ProgramSpec[],
    rows: readonly number[],
  ): { prepare: Program; passes: Program[] }
  /** Address of a compiled program, for threads that run it independently. */
  entryOf(program: Program): number
}
