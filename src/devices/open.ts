import { usageError } from '../errors.js'
import { didYouMean } from '../text/nearest.js'
import { show } from '../text/show.js'
import type { Device } from './device.js'
import type { HostDevice } from './host.js'

interface DeviceEntry {
  readonly description: string
  /** Null until the device is built. */
  readonly open: ((host: HostDevice) => Promise<Device>) | null
}

/** All devices that a run can name. */
const DEVICES = {
  wasm: {
    description: 'SIMD kernels in WebAssembly on all cores of the CPU; the default',
    open: async (host) => host,
  },
  reference: {
    description: 'plain TypeScript in double precision: slow, to compare others with',
    open: async () => new (await import('./reference/device.js')).ReferenceDevice(),
  },
  cuda: { description: 'NVIDIA GPUs', open: null },
  tfjs: { description: 'backends of TensorFlow.js', open: null },
} as const satisfies Readonly<Record<string, DeviceEntry>>

type Devices = typeof DEVICES

/** Name of a device that can be opened. */
export type DeviceName = {
  [Name in keyof Devices]: Devices[Name]['open'] extends null ? never : Name
}[keyof Devices]

const isBuilt = (name: string): name is DeviceName =>
  Object.hasOwn(DEVICES, name) && DEVICES[name as keyof Devices].open !== null

/** Devices that can be opened, the default first. */
export const deviceNames: readonly DeviceName[] = Object.keys(DEVICES).filter(isBuilt)

/** Expected values of the key `device`, for the error line of a wrong one. */
export function expectedDevice(value: unknown): string {
  const choices = deviceNames.join(' or ')
  // tfjs:webgl names a backend of a device; auto is the choice among them all.
  const name = String(value).split(':')[0]
  const isPlanned = name === 'auto' || (Object.hasOwn(DEVICES, name) && !isBuilt(name))
  return isPlanned
    ? `${choices} (${String(value)} is not supported yet)`
    : choices + didYouMean(value, deviceNames)
}

/** Device that owns the memory of rollouts. @param options.measuring see `HostDevice.measuring` */
export async function openHost({ measuring = false } = {}): Promise<HostDevice> {
  const { WasmDevice } = await import('./wasm/device.js')
  return WasmDevice.create(undefined, measuring)
}

/**
 * Device of a learner.
 * @param host memory of the rollouts that it learns from
 * @throws HatrpoError for a name that is unknown or not built yet
 */
export async function openDevice(name: string, host: HostDevice): Promise<Device> {
  if (!isBuilt(name)) throw usageError(`device is ${show(name)}: it must be ${expectedDevice(name)}`)
  const open: (host: HostDevice) => Promise<Device> = DEVICES[name].open
  return open(host)
}

/** Widths of the vectors that rollouts and the default device compute with. Results do not depend on the choice. */
const SIMD = {
  baseline: async () => undefined,
  wide: async () => (await import('./wasm/wide/enable.js')).enableWideVectors(),
} as const satisfies Readonly<Record<string, () => Promise<void>>>

export type SimdMode = keyof typeof SIMD
export const simdModes = Object.keys(SIMD) as SimdMode[]

/**
 * Chooses the width of vectors for everything that is computed later in this process. To be called before `openHost`.
 * @throws HatrpoError for an unknown name, or where the engine does not have it
 */
export async function openSimd(name: string): Promise<void> {
  if (!Object.hasOwn(SIMD, name))
    throw usageError(`simd is ${show(name)}: it must be ${simdModes.join(' or ')}`)
  await SIMD[name as SimdMode]()
}

/** All devices, as `hatrpo list devices` prints them. */
export function listDevices(): { id: string; description: string; supported: boolean }[] {
  return Object.entries(DEVICES).map(([id, { description }]) => ({ id, description, supported: isBuilt(id) }))
}
