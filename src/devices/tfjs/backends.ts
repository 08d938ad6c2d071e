import { HatrpoError } from '../../errors.js'
import type { Device } from '../device.js'
import { loadPackage, missingPackages } from '../packages.js'
import type { TensorFlow } from './tensorflow.js'

interface Backend {
  readonly description: string
  /** TensorFlow.js, and the package that registers the backend on import. */
  readonly packages: readonly [core: string, backend: string]
  /** Prepares the active backend. */
  readonly prepare?: (tf: TensorFlow) => void
}

const CORE = '@tensorflow/tfjs-core'

/** Backends of TensorFlow.js with synchronous reads, which the contract of devices requires. */
const BACKENDS = {
  wasm: {
    description: 'its kernels in WebAssembly, on one core of the CPU',
    packages: [CORE, '@tensorflow/tfjs-backend-wasm'],
    prepare: guardMemory,
  },
  tensorflow: {
    description: 'the TensorFlow library on an NVIDIA GPU, with CUDA 11 and cuDNN 8',
    packages: [CORE, '@tensorflow/tfjs-node-gpu'],
  },
} as const satisfies Readonly<Record<string, Backend>>

export type BackendName = keyof typeof BACKENDS

/** A backend as a way to open a device. */
export function backend(name: BackendName) {
  const { description, packages } = BACKENDS[name]
  return {
    description,
    missing: async () => missingPackages(packages) ?? (await faultOf(name)),
    open: async (): Promise<Device> => {
      const { TfjsDevice } = await import('./device.js')
      return new TfjsDevice(await loadBackend(name), name)
    },
  }
}

/** Reason why a backend with installed packages cannot be loaded, in one line, or null. */
async function faultOf(name: BackendName): Promise<string | null> {
  try {
    await loadBackend(name)
    return null
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).trim().split('\n')
    return `${BACKENDS[name].packages[1]} cannot be loaded: ${line}`
  }
}

/** @throws Error if the packages or their system requirements are missing */
export async function loadBackend(name: BackendName): Promise<TensorFlow> {
  const { packages, prepare }: Backend = BACKENDS[name]
  const [core, own] = packages
  const tf = loadPackage<TensorFlow>(core)
  loadPackage(own)
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js does not start its backend ${name}`)
  await tf.ready()
  prepare?.(tf)
  return tf
}

/** Allocator of the WebAssembly backend. */
interface WasmBackend {
  readonly wasm: { _malloc: (bytes: number) => number }
}

const guarded = new WeakSet<WasmBackend>()

/**
 * Throws an error when the backend's memory is exhausted. The backend itself treats the address 0 of a failed allocation as
 * valid memory, and overwrites other tensors.
 */
function guardMemory(tf: TensorFlow): void {
  const backend = tf.backend() as WasmBackend
  if (guarded.has(backend)) return
  guarded.add(backend)
  // The first call replaces `_malloc` by another function.
  backend.wasm._malloc(8)
  const allocate = backend.wasm._malloc
  backend.wasm._malloc = (bytes) => {
    const address = allocate(bytes)
    if (address !== 0 || bytes === 0) return address
    throw new HatrpoError(
      `the backend of TensorFlow.js has no ${bytes} bytes left of its 4 GiB: reduce envs times rolloutSteps or the networks, or use ` +
        'another device (--resume RUN --device NAME moves a run)',
    )
  }
}
