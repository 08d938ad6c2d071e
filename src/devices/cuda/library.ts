import { missingPackages, loadPackage } from '../packages.js'

/** Package for calling functions of native libraries. */
const FOREIGN = 'koffi'

/** The part of the package that is used. */
interface Foreign {
  load(path: string): { func(signature: string): (...args: unknown[]) => number }
  /** Memory of the process as an array. */
  view(address: number, bytes: number): ArrayBuffer
}

/** Functions of the CUDA driver (CUDA Driver API reference). Handles and addresses are numbers. */
const SIGNATURES = {
  init: 'int cuInit(unsigned int flags)',
  driverVersion: 'int cuDriverGetVersion(_Out_ int *version)',
  errorName: 'int cuGetErrorName(int error, _Out_ const char **name)',
  deviceCount: 'int cuDeviceGetCount(_Out_ int *count)',
  device: 'int cuDeviceGet(_Out_ int *device, int ordinal)',
  deviceName: 'int cuDeviceGetName(_Out_ uint8_t *name, int length, int device)',
  deviceAttribute: 'int cuDeviceGetAttribute(_Out_ int *value, int attribute, int device)',
  retainContext: 'int cuDevicePrimaryCtxRetain(_Out_ uintptr_t *context, int device)',
  releaseContext: 'int cuDevicePrimaryCtxRelease_v2(int device)',
  setContext: 'int cuCtxSetCurrent(uintptr_t context)',
  loadModule:
    'int cuModuleLoadDataEx(_Out_ uintptr_t *module, const uint8_t *image, unsigned int count, const int *options, uintptr_t *values)',
  unloadModule: 'int cuModuleUnload(uintptr_t module)',
  function: 'int cuModuleGetFunction(_Out_ uintptr_t *function, uintptr_t module, const char *name)',
  createStream: 'int cuStreamCreate(_Out_ uintptr_t *stream, unsigned int flags)',
  destroyStream: 'int cuStreamDestroy_v2(uintptr_t stream)',
  synchronise: 'int cuStreamSynchronize(uintptr_t stream)',
  memory: 'int cuMemGetInfo_v2(_Out_ size_t *free, _Out_ size_t *total)',
  alloc: 'int cuMemAlloc_v2(_Out_ uintptr_t *address, size_t bytes)',
  free: 'int cuMemFree_v2(uintptr_t address)',
  allocHost: 'int cuMemAllocHost_v2(_Out_ uintptr_t *address, size_t bytes)',
  freeHost: 'int cuMemFreeHost(uintptr_t pointer)',
  upload: 'int cuMemcpyHtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, uintptr_t stream)',
  download: 'int cuMemcpyDtoHAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, uintptr_t stream)',
  copy: 'int cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, uintptr_t stream)',
  clear: 'int cuMemsetD8Async(uintptr_t to, unsigned char value, size_t bytes, uintptr_t stream)',
  launch:
    'int cuLaunchKernel(uintptr_t function, unsigned int x, unsigned int y, unsigned int z, unsigned int threads, unsigned int threadsY, unsigned int threadsZ, unsigned int shared, uintptr_t stream, uintptr_t parameters, uintptr_t extra)',
  beginCapture: 'int cuStreamBeginCapture_v2(uintptr_t stream, int mode)',
  endCapture: 'int cuStreamEndCapture(uintptr_t stream, _Out_ uintptr_t *graph)',
  instantiate:
    'int cuGraphInstantiateWithFlags(_Out_ uintptr_t *executable, uintptr_t graph, uint64_t flags)',
  destroyGraph: 'int cuGraphDestroy(uintptr_t graph)',
  destroyExecutable: 'int cuGraphExecDestroy(uintptr_t executable)',
  launchGraph: 'int cuGraphLaunch(uintptr_t executable, uintptr_t stream)',
} as const

export type FunctionName = keyof typeof SIGNATURES
type Functions = Readonly<Record<FunctionName, (...args: unknown[]) => number>>

/** Functions of the driver's library, and views of the process's memory. */
export interface Library {
  readonly functions: Functions
  readonly view: Foreign['view']
}

/** Path of the driver's library, which `CUDA_DRIVER_LIBRARY` overrides. */
export function libraryPath(): string {
  const own = process.env.CUDA_DRIVER_LIBRARY
  return own ?? (process.platform === 'win32' ? 'nvcuda.dll' : 'libcuda.so.1')
}

const REASON = /^.*: /

/** The library, or the reason why it cannot be loaded, in one line. */
export function loadLibrary(): Library | string {
  const missing = missingPackages([FOREIGN])
  if (missing) return missing
  const foreign = loadPackage<Foreign>(FOREIGN)
  let library: ReturnType<Foreign['load']>
  try {
    library = foreign.load(libraryPath())
  } catch (error) {
    const reason = (error as Error).message.replace(REASON, '')
    return `no NVIDIA driver: ${libraryPath()} cannot be loaded (${reason})`
  }
  try {
    const functions = Object.entries(SIGNATURES).map(([name, signature]) => [name, library.func(signature)])
    return { functions: Object.fromEntries(functions) as Functions, view: foreign.view }
  } catch (error) {
    return `the NVIDIA driver is too old: ${(error as Error).message}`
  }
}
