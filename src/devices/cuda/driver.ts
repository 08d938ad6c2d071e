import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HatrpoError, usageError } from '../../errors.js'
import { brotliDecompressSync } from 'node:zlib'
import { CODE } from '../../place.js'
import { driverError, memoryError, RESULT } from './errors.js'
import { loadLibrary, type FunctionName, type Library } from './library.js'

/** Oldest CUDA version that loads the kernels, given by the version of their PTX (`npm run build:cuda`). */
const OLDEST_DRIVER = { cuda: 11_040, name: 'CUDA 11.4 (driver 470)' }
/** Compute capability of the oldest GPUs that the kernels run on: Ampere. */
const OLDEST_GPU = 8

const CAPABILITY = { major: 75, minor: 76 } as const
/** Stream flag: no synchronisation with other streams. */
const NON_BLOCKING = 1
/** Capture mode: affects only the calling thread. */
const THREAD_LOCAL = 1
/** Options of `cuModuleLoadDataEx`. */
const ERROR_LOG = { buffer: 5, bytes: 6 } as const

/** Threads of a block. */
const THREADS = 256
/** Bytes of pinned memory for transfers. */
const STAGING = 16 * 0x100000
/** Maximum number of arguments of a kernel, 8 bytes each. */
const ARGUMENTS = 16

/** Argument of a kernel: an address or integer, or a marked real number. */
export type KernelArgument = number | { readonly real: number }

export const real = (value: number): KernelArgument => ({ real: value })

/** Recorded launches, replayed by one call. */
export interface Graph {
  readonly executable: number
}

/** Path of the kernels, which `CUDA_KERNELS` overrides. */
function kernelsPath(): string {
  return process.env.CUDA_KERNELS ?? fileURLToPath(new URL('../cuda/kernels.ptx.br', CODE))
}

function readKernels(): Uint8Array {
  const path = kernelsPath()
  const contents = readFileSync(path)
  return path.endsWith('.br') ? brotliDecompressSync(contents) : contents
}

/** Reason why this machine cannot open the device, in one line, or null. */
export function missingDriver(): string | null {
  const path = kernelsPath()
  if (!existsSync(path)) return `its kernels are not built: npm run build:cuda, which needs nvcc (${path})`
  const library = loadLibrary()
  return typeof library === 'string' ? library : unusable(library)
}

function unusable({ functions }: Library): string | null {
  const version = [0]
  if (functions.driverVersion(version) !== RESULT.success) return 'the NVIDIA driver does not answer'
  const [found] = version
  if (found < OLDEST_DRIVER.cuda)
    return `the NVIDIA driver is too old: it supports CUDA ${versionName(found)}, the kernels need ${OLDEST_DRIVER.name} or later`
  const started = functions.init(0)
  const count = [0]
  if (
    started === RESULT.noDevice ||
    (started === RESULT.success && functions.deviceCount(count) === RESULT.success && count[0] === 0)
  )
    return 'no GPU: the NVIDIA driver finds none (CUDA_VISIBLE_DEVICES may hide it)'
  if (started !== RESULT.success) return `the NVIDIA driver does not start (error ${started})`
  const [device, major] = [[0], [0]]
  functions.device(device, 0)
  functions.deviceAttribute(major, CAPABILITY.major, device[0])
  return major[0] < OLDEST_GPU
    ? `the GPU is too old: its compute capability is ${major[0]}, the kernels need ${OLDEST_GPU}.0 (Ampere) or later`
    : null
}

const versionName = (version: number) => `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`

/** One GPU, its memory and the kernels, through the CUDA driver. Work runs in the order of the calls. */
export class Driver {
  /** Name of the GPU. */
  readonly gpu: string
  readonly #library: Library
  readonly #device: number
  readonly #stream: number
  readonly #module: number
  readonly #kernels = new Map<string, number>()
  /** Pinned memory for transfers: its address, its contents, and the number of bytes in use by pending transfers. */
  readonly #staging: number
  readonly #bytes: Uint8Array
  #used = 0
  /** Arguments of the next launch. */
  readonly #arguments: DataView
  readonly #parameters: number

  /** @throws HatrpoError if the machine has no usable GPU */
  constructor() {
    const library = loadLibrary()
    if (typeof library === 'string') throw usageError(`device cuda: ${library}`)
    this.#library = library
    this.#call('init', 0)
    const device = this.#result('device', 0)
    const name = new Uint8Array(256)
    this.#call('deviceName', name, name.length, device)
    this.gpu = new TextDecoder().decode(name.subarray(0, name.indexOf(0)))
    this.#device = device
    this.#call('setContext', this.#result('retainContext', device))
    this.#stream = this.#result('createStream', NON_BLOCKING)
    this.#staging = this.#result('allocHost', STAGING)
    this.#bytes = new Uint8Array(library.view(this.#staging, STAGING))
    this.#parameters = this.#result('allocHost', 8 * (ARGUMENTS + 1))
    this.#arguments = new DataView(library.view(this.#parameters, 8 * (ARGUMENTS + 1)))
    this.#arguments.setBigUint64(0, BigInt(this.#parameters + 8), true)
    this.#module = this.#loadKernels(readKernels())
  }

  /**
   * Releases kernels, pinned memory, stream and context, after the device's memory and graphs have been freed. Failures are
   * ignored: after the loss of the GPU, every call fails.
   */
  close(): void {
    const { functions } = this.#library
    functions.unloadModule(this.#module)
    functions.freeHost(this.#parameters)
    functions.freeHost(this.#staging)
    functions.destroyStream(this.#stream)
    functions.releaseContext(this.#device)
  }

  // Memory.

  /** Address of new memory with undefined contents. */
  alloc(bytes: number): number {
    const address = [0]
    const code = this.#library.functions.alloc(address, bytes)
    if (code === RESULT.outOfMemory) {
      const [free, total] = [[0], [0]]
      this.#library.functions.memory(free, total)
      throw memoryError(bytes, { free: free[0], total: total[0] })
    }
    this.#expect('alloc', code)
    return address[0]
  }

  /** Ignores failures, like `close`. */
  free(address: number): void {
    this.#library.functions.free(address)
  }

  /** Sets memory to zero. */
  clear(address: number, bytes: number): void {
    if (bytes > 0) this.#call('clear', address, 0, bytes, this.#stream)
  }

  copy(from: number, to: number, bytes: number): void {
    if (bytes > 0) this.#call('copy', to, from, bytes, this.#stream)
  }

  /** Starts a transfer to the GPU. The contents may change after the call. */
  upload(contents: Uint8Array, to: number): void {
    for (let at = 0; at < contents.length;) {
      if (this.#used === STAGING) this.synchronise()
      const part = contents.subarray(at, at + STAGING - this.#used)
      this.#bytes.set(part, this.#used)
      this.#call('upload', to + at, this.#staging + this.#used, part.length, this.#stream)
      this.#used += part.length
      at += part.length
    }
  }

  /** Waits for all work, and copies memory of the GPU to an array. */
  download(from: number, to: Uint8Array): void {
    for (let at = 0; at < to.length; at += STAGING) {
      const part = to.subarray(at, at + STAGING)
      this.request(from + at, part.length)
      part.set(this.receive(part.length))
    }
  }

  /** Starts a transfer from the GPU, at most the size of the pinned memory. `receive` returns the contents. */
  request(from: number, bytes: number): void {
    this.#call('download', this.#staging, from, bytes, this.#stream)
  }

  /** Waits for all work. Contents of the last request, valid until the next transfer. */
  receive(bytes: number): Uint8Array {
    this.synchronise()
    return this.#bytes.subarray(0, bytes)
  }

  /** Waits for all work. */
  synchronise(): void {
    this.#call('synchronise', this.#stream)
    this.#used = 0
  }

  // Kernels.

  launch(kernel: string, blocks: number, values: readonly KernelArgument[]): void {
    values.forEach((value, i) => {
      const at = 8 * (i + 1)
      if (typeof value === 'number') this.#arguments.setBigInt64(at, BigInt(value), true)
      else this.#arguments.setFloat64(at, value.real, true)
    })
    const size = [blocks, 1, 1, THREADS, 1, 1] as const
    this.#call('launch', this.#kernel(kernel), ...size, 0, this.#stream, this.#parameters, 0)
  }

  /** Records the launches of `build` without executing them. */
  capture(build: () => void): Graph {
    this.#call('beginCapture', this.#stream, THREAD_LOCAL)
    const graph = [0]
    try {
      build()
    } finally {
      this.#library.functions.endCapture(this.#stream, graph)
    }
    const executable = this.#result('instantiate', graph[0], 0)
    this.#call('destroyGraph', graph[0])
    return { executable }
  }

  replay({ executable }: Graph): void {
    this.#call('launchGraph', executable, this.#stream)
  }

  /** Ignores failures, like `close`. */
  forget({ executable }: Graph): void {
    this.#library.functions.destroyExecutable(executable)
  }

  #kernel(name: string): number {
    const known = this.#kernels.get(name)
    if (known !== undefined) return known
    const found = this.#result('function', this.#module, name)
    this.#kernels.set(name, found)
    return found
  }

  /** Loads the kernels. The driver compiles them for the GPU and caches the result for later processes. */
  #loadKernels(image: Uint8Array): number {
    const text = new Uint8Array(image.length + 1)
    text.set(image)
    const log = this.#bytes.subarray(0, 4096).fill(0)
    const [options, module] = [Int32Array.of(ERROR_LOG.buffer, ERROR_LOG.bytes), [0]]
    const values = BigUint64Array.of(BigInt(this.#staging), BigInt(log.length))
    const code = this.#library.functions.loadModule(module, text, options.length, options, values)
    const [message] = new TextDecoder().decode(log).split('\0')
    if (code !== RESULT.success)
      throw new HatrpoError(`device cuda: the driver does not load the kernels (error ${code}): ${message}`)
    return module[0]
  }

  /** Calls a function that stores its result in its first argument. */
  #result(name: FunctionName, ...args: unknown[]): number {
    const result = [0]
    this.#call(name, result, ...args)
    return result[0]
  }

  #call(name: FunctionName, ...args: unknown[]): void {
    this.#expect(name, this.#library.functions[name](...args))
  }

  /** @throws HatrpoError unless the code is success */
  #expect(name: FunctionName, code: number): void {
    if (code === RESULT.success) return
    const names = [null]
    this.#library.functions.errorName(code, names)
    throw driverError(name, code, String(names[0] ?? 'unknown'))
  }
}
