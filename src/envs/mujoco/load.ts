import type { ClassHandle, MainModule } from '@mujoco/mujoco'
import { HatrpoError } from '../../errors.js'
import { Batch, type Stepper } from './batch.js'
import { Bindings } from './bindings.js'
import { sharedMujoco } from './compile.js'
import { readStepper } from './stepper.js'

/** Room made once, right after loading, so that memory does not grow when worlds are created later. */
const HEAP_HEADROOM_BYTES = 64 * 1024 * 1024

/** One MuJoCo in this thread: its API, its memory, and the stepper that shares them. */
export interface Mujoco {
  readonly api: MainModule
  /** The steps of all worlds. */
  readonly batch: Batch
  /** The function table, in which `functionIndex` gives positions. */
  readonly table: WebAssembly.Table
  /** MuJoCo's memory as doubles. Each use gets a new view, because a view is invalid after the memory has grown. */
  doubles(): Float64Array
  /** MuJoCo's memory as 32-bit integers; each use gets a new view. */
  integers(): Int32Array
  /** Position in the function table of a function of the MuJoCo API. */
  functionIndex(name: string): number
  /** Memory for `count` 32-bit integers, all 0. @returns its address */
  allocate(count: number): number
  free(address: number): void
  /** Gives back the stack that a call left behind when an error passed through it. */
  unwind(): void
}

interface MujocoExports extends WebAssembly.Exports {
  memory: WebAssembly.Memory
  __indirect_function_table: WebAssembly.Table
  malloc(bytes: number): number
  free(address: number): void
  emscripten_stack_get_current(): number
  _emscripten_stack_restore(address: number): void
}

/**
 * Loads MuJoCo into this thread.
 * @param module what `compileMujoco` gave, here or in another thread; by default that of this thread
 */
export async function loadMujoco(module?: WebAssembly.Module): Promise<Mujoco> {
  const compiled = module ?? (await sharedMujoco())
  // Imported here, because a thread that only compiles MuJoCo for others does not need it.
  const { default: instantiate } = await import('@mujoco/mujoco')
  let bindings: Bindings | undefined
  let exports: MujocoExports | undefined
  const api = await new Promise<MainModule>((resolve, reject) => {
    const instantiateWasm = (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) => {
      bindings = new Bindings(imports, () => exports!.memory)
      // Not at once: pages refuse that for modules of this size. MuJoCo would wait for ever for one that fails.
      WebAssembly.instantiate(compiled, imports)
        .then((instance) => {
          exports = instance.exports as MujocoExports
          done(instance, compiled)
        })
        .catch(reject)
      return {}
    }
    instantiate({ instantiateWasm }).then(resolve, reject)
  })
  if (exports === undefined || bindings === undefined)
    throw new HatrpoError('@mujoco/mujoco did not ask for its WebAssembly module')
  bindings.attach(api)
  exports.free(exports.malloc(HEAP_HEADROOM_BYTES))
  silence(api)
  return bind(api, exports, bindings.positions, await loadStepper(exports))
}

/** Turns MuJoCo's own log off: a world that goes bad is reported by an error, not by a growing log. */
function silence(api: MainModule): void {
  const log = api.mju_getLogConfig()
  log.logto_console = false
  log.logto_file = false
  api.mju_setLogConfig(log)
  log.delete()
}

async function loadStepper(exports: MujocoExports): Promise<Stepper> {
  const { instance } = await WebAssembly.instantiate(await readStepper(), {
    env: { memory: exports.memory, table: exports.__indirect_function_table },
  })
  return instance.exports as unknown as Stepper
}

function bind(
  api: MainModule,
  exports: MujocoExports,
  positions: Map<string, number>,
  stepper: Stepper,
): Mujoco {
  const idleStack = exports.emscripten_stack_get_current()
  let doubles = new Float64Array(exports.memory.buffer)
  let integers = new Int32Array(exports.memory.buffer)
  const refresh = () => {
    doubles = new Float64Array(exports.memory.buffer)
    integers = new Int32Array(exports.memory.buffer)
  }
  const mujoco = {
    api,
    table: exports.__indirect_function_table,
    doubles: () => {
      if (doubles.length === 0) refresh()
      return doubles
    },
    integers: () => {
      if (integers.length === 0) refresh()
      return integers
    },
    functionIndex: (name: string) => {
      const index = positions.get(name)
      if (index === undefined)
        throw new HatrpoError(`@mujoco/mujoco has no function ${name}: is it version 3.14.0?`)
      return index
    },
    allocate: (count: number) => {
      const address = exports.malloc(count * Int32Array.BYTES_PER_ELEMENT)
      mujoco.integers().fill(0, address / 4, address / 4 + count)
      return address
    },
    free: (address: number) => exports.free(address),
    unwind: () => exports._emscripten_stack_restore(idleStack),
  }
  const batch = new Batch(mujoco.integers, stepper, mujoco.unwind)
  return { ...mujoco, batch }
}

/** Address of the C++ object behind an embind handle. */
export function addressOf(handle: ClassHandle): number {
  return (handle as unknown as { $$: { ptr: number } }).$$.ptr
}

/** A field of a model or of a world that is an array of doubles; the API leaves its type open. */
export function doublesOf<Handle extends ClassHandle>(handle: Handle, field: keyof Handle): Float64Array {
  return handle[field] as Float64Array
}

/** A field of a model or of a world that is an array of 32-bit integers. */
export function integersOf<Handle extends ClassHandle>(handle: Handle, field: keyof Handle): Int32Array {
  return handle[field] as Int32Array
}
