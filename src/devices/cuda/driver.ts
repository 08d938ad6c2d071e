import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HatrpoError, usageError } from '../../errors.js'
import { brotliDecompressSync } from 'node:zlib'
import { CODE } from '../../place.js'
import { driverError, memoryError, RESULT } from './errors.js'
import { loadLibrary, type FunctionName, type Library } from './library.js'

/** Version of CUDA whose drivers load the kernels: that of their PTX, which `npm run build:cuda` writes. */
const OLDEST_DRIVER = { cuda: 11_040, name: 'CUDA 11.4 (driver 470)' }
/** Compute capability of the oldest GPUs that the kernels run on: Ampere. */
const OLDEST_GPU = 8

const CAPABILITY = { major: 75, minor: 76 } as const
/** Stream that does not wait for others. */
const NON_BLOCKING = 1
/** Capture that concerns the calling thread alone. */
const THREAD_LOCAL = 1
/** Options of `cuModuleLoadDataEx`. */
const ERROR_LOG = { buffer: 5, bytes: 6 } as const

/** Threads of a block. */
const THREADS = 256
/** Bytes of pinned memory that transfers go through. */
const STAGING = 16 * 0x100000
/** Most arguments of a kernel, 8 bytes each, and the pointer to them. */
const ARGUMENTS = 16

/** Argument of a kernel: an address, an integer or, marked as such, a real number. */
export type KernelArgument = number | { readonly real: number }

export const real = (value: number): KernelArgument => ({ real: value })

/** Launches that were recorded, to be made again at once. */
export interface Graph {
  readonly executable: number
}

/** File of the kernels; `CUDA_KERNELS` names another one. */
function kernelsPath(): string {
  return process.env.CUDA_KERNELS ?? fileURLToPath(new URL('../cuda/kernels.ptx.br', CODE))
}

function readKernels(): Uint8Array {
  const path = kernelsPath()
  const contents = readFileSync(path)
  return path.endsWith('.br') ? brotliDecompressSync(contents) : contents
}

/** Why this machine cannot open the device, in one line, or null. */
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
    return `the NVIDIA driver is too old: it is of CUDA ${versionName(found)}, the kernels need ${OLDEST_DRIVER.name} or later`
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

/** One GPU, its memory and the kernels, called through the CUDA driver. Work is done in the order of the calls. */
export class Driver {
  /** Name of the GPU. */
  readonly gpu: string
  readonly #library: Library
  readonly #device: number
  readonly #stream: number
  readonly #module: number
  readonly #kernels = new Map<string, number>()
  /** Pinned memory for transfers: its address, its contents, and how much of it transfers under way use. */
  readonly #staging: number
  readonly #bytes: Uint8Array
  #used = 0
  /** Arguments of the next launch. */
  readonly #arguments: DataView
  readonly #parameters: number

  /** @throws HatrpoError where the machine has no GPU that can be used */
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
   * Gives back what the device has of the process and of the GPU, when its memory and graphs have been freed. There is nothing
   * to do about a function that fails, such as after the loss of the GPU.
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

  /** As in `close`, failure is of no interest. */
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

  /** Begins a transfer to the GPU. The contents may change once this returns. */
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

  /** Waits for all work, and brings memory of the GPU to an array. */
  download(from: number, to: Uint8Array): void {
    for (let at = 0; at < to.length; at += STAGING) {
      const part = to.subarray(at, at + STAGING)
      this.request(from + at, part.length)
      part.set(this.receive(part.length))
    }
  }

  /** Begins a transfer from the GPU of no more than the pinned memory takes, whose contents `receive` has. */
  request(from: number, bytes: number): void {
    this.#call('download', this.#staging, from, bytes, this.#stream)
  }

  /** Waits for all work. Result: what was requested last, until the next transfer. */
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

  /** Records the launches that `build` makes instead of making them. */
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

  /** As in `close`, failure is of no interest. */
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

  /** The driver compiles the kernels for the GPU, and keeps what it has compiled for the next process. */
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

  /** Calls a function whose first argument receives its result. */
  #result(name: FunctionName, ...args: unknown[]): number {
    const result = [0]
    this.#call(name, result, ...args)
    return result[0]
  }

  #call(name: FunctionName, ...args: unknown[]): void {
    this.#expect(name, this.#library.functions[name](...args))
  }

  /** @throws HatrpoError for another result than success */
  #expect(name: FunctionName, code: number): void {
    if (code === RESULT.success) return
    const names = [null]
    this.#library.functions.errorName(code, names)
    throw driverError(name, code, String(names[0] ?? 'unknown'))
  }
}
