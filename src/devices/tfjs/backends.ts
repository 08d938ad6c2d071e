import type { Device } from '../device.js'
import { loadPackage, missingPackages } from '../packages.js'
import type { TensorFlow } from './tensorflow.js'

interface Backend {
  readonly description: string
  /** TensorFlow.js itself, and the package that registers the backend when it is loaded. */
  readonly packages: readonly [core: string, backend: string]
}

const CORE = '@tensorflow/tfjs-core'

/** Backends of TensorFlow.js whose results can be read synchronously, as the contract of devices demands. */
const BACKENDS = {
  wasm: {
    description: 'its kernels in WebAssembly, on one core of the CPU',
    packages: [CORE, '@tensorflow/tfjs-backend-wasm'],
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

/** Why a backend whose packages are installed cannot be loaded, in one line, or null. */
async function faultOf(name: BackendName): Promise<string | null> {
  try {
    await loadBackend(name)
    return null
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).trim().split('\n')
    return `${BACKENDS[name].packages[1]} cannot be loaded: ${line}`
  }
}

/** @throws Error where the packages, or what they need of the system, are missing */
export async function loadBackend(name: BackendName): Promise<TensorFlow> {
  const [core, own] = BACKENDS[name].packages
  const tf = loadPackage<TensorFlow>(core)
  loadPackage(own)
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js does not start its backend ${name}`)
  await tf.ready()
  return tf
}
