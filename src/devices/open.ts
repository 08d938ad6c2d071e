import { usageError } from '../errors.js'
import { didYouMean } from '../text/nearest.js'
import { show } from '../text/show.js'
import { orClose } from './closing.js'
import { variant } from './cuda/variants.js'
import type { Device } from './device.js'
import type { HostDevice } from './host.js'
import { backend } from './tfjs/backends.js'

/** One way to open a device. */
interface Way {
  readonly description: string
  /** Reason why this machine cannot open it, in one line, or null. Absent if every machine can. */
  readonly missing?: () => Promise<string | null>
  /** Set if only its name selects it, never `auto`: it is intended for comparisons, or less accurate than the others. */
  readonly byNameOnly?: true
  readonly open: (host: HostDevice) => Promise<Device>
}

/** Device or variant that is listed but cannot be opened. */
interface Refused {
  readonly description: string
  /** Reason, in one line. */
  readonly refused: string
}

/** Device with several variants. Its name alone selects the first, `name:backend` any of them. */
interface Family {
  readonly description: string
  readonly variants: Readonly<Record<string, Way | Refused>>
}

/** All devices, the default first. */
const DEVICES: Readonly<Record<string, Way | Refused | Family>> = {
  wasm: {
    description: 'SIMD kernels in WebAssembly on all cores of the CPU; the default',
    open: async (host) => host,
  },
  reference: {
    description: 'plain TypeScript in double precision: slow, a reference for other devices',
    byNameOnly: true,
    open: async () => new (await import('./reference/device.js')).ReferenceDevice(),
  },
  cuda: {
    description: 'an NVIDIA GPU, Ampere or later; needs its driver and the package koffi',
    variants: { f32: variant('f32'), tf32: { ...variant('tf32'), byNameOnly: true } },
  },
  tfjs: {
    description: 'forward operations of TensorFlow.js, on one of its backends',
    variants: {
      wasm: backend('wasm'),
      tensorflow: backend('tensorflow'),
      webgpu: {
        description: 'WebGPU',
        refused: 'its results arrive asynchronously, and learners read them synchronously',
      },
    },
  },
}

const isOpenable = (entry: Way | Refused): entry is Way => !('refused' in entry)
const isFamily = (entry: Way | Refused | Family): entry is Family => 'variants' in entry

/** Devices by name. */
const NAMES: ReadonlyMap<string, Way | Refused> = new Map(
  Object.entries(DEVICES).flatMap(([id, entry]): [string, Way | Refused][] => {
    if (!isFamily(entry)) return [[id, entry]]
    const variants = Object.entries(entry.variants)
    return [
      [id, variants[0][1]],
      ...variants.map(([name, way]): [string, Way | Refused] => [`${id}:${name}`, way]),
    ]
  }),
)

const namesOf = (accepts: (way: Way) => boolean): readonly string[] =>
  Array.from(NAMES).flatMap(([name, way]) => (isOpenable(way) && accepts(way) ? [name] : []))

/** Names of the devices that can be opened, on some machine at least; the default first. */
export const deviceNames = namesOf(() => true)

/** Names of the devices that every machine can open. */
export const builtInDevices = namesOf(({ missing }) => missing === undefined)

/** Value of the key `device` that selects the device with the fastest update. */
export const AUTO = 'auto'

/** Values of the key `device`. */
export const deviceChoices: readonly string[] = [...deviceNames, AUTO]

/** Devices that `auto` compares: those that this machine can use and that may be the fastest. The default is first. */
export async function comparableDevices(): Promise<string[]> {
  const listed = await listDevices()
  const states = listed.flatMap(({ variants, ...device }) => variants ?? [device])
  return states.flatMap(({ id, usable }) => {
    const way = NAMES.get(id)!
    return usable && isOpenable(way) && !way.byNameOnly ? [id] : []
  })
}

/** Expected values of the key `device`, for the error message of an invalid one. */
export function expectedDevice(value: unknown): string {
  const choices = `one of ${deviceChoices.join(', ')}`
  const entry = NAMES.get(String(value))
  if (entry && !isOpenable(entry)) return `${choices} (${String(value)}: ${entry.refused})`
  return choices + didYouMean(value, deviceChoices)
}

/** Device that owns the memory of rollouts. @param options.measuring see `HostDevice.measuring` */
export async function openHost({ measuring = false } = {}): Promise<HostDevice> {
  const { WasmDevice } = await import('./wasm/device.js')
  return WasmDevice.create(undefined, measuring)
}

/**
 * Device of a learner.
 * @param host device that owns the memory of the rollouts
 * @throws HatrpoError for an unknown name, or if this machine cannot open the device
 */
export async function openDevice(name: string, host: HostDevice): Promise<Device> {
  const way = NAMES.get(name)
  if (!way || !isOpenable(way))
    throw usageError(`device is ${show(name)}: it must be ${expectedDevice(name)}`)
  const missing = await way.missing?.()
  if (missing) throw usageError(`device is ${show(name)}: it cannot be used here: ${missing}`)
  return way.open(host)
}

/**
 * Result of `build` with a newly opened learner's device. If `build` throws, the device is closed.
 * @throws HatrpoError as `openDevice` does
 */
export async function buildOn<T>(name: string, host: HostDevice, build: (device: Device) => T): Promise<T> {
  const device = await openDevice(name, host)
  return orClose(device, () => build(device))
}

/** Vector widths of rollouts and the default device. Results do not depend on the choice. */
const SIMD = {
  baseline: async () => undefined,
  wide: async () => (await import('./wasm/wide/enable.js')).enableWideVectors(),
} as const satisfies Readonly<Record<string, () => Promise<void>>>

export type SimdMode = keyof typeof SIMD
export const simdModes = Object.keys(SIMD) as SimdMode[]

/**
 * Sets the vector width for all later computations of this process. Call it before `openHost`.
 * @throws HatrpoError for an unknown name, or if the engine does not support it
 */
export async function openSimd(name: string): Promise<void> {
  if (!Object.hasOwn(SIMD, name))
    throw usageError(`simd is ${show(name)}: it must be ${simdModes.join(' or ')}`)
  await SIMD[name as SimdMode]()
}

/** State of a device or variant on this machine. */
export interface DeviceState {
  readonly id: string
  readonly description: string
  /** Whether any machine can open it. */
  readonly supported: boolean
  /** Whether this machine can open it. */
  readonly usable: boolean
  /** Reason why it cannot. */
  readonly reason: string | null
}

/** Device with the states of its variants. Its own state is that of the first. */
export interface ListedDevice extends DeviceState {
  readonly variants?: readonly DeviceState[]
}

/** All devices, as `hatrpo list devices` prints them. */
export async function listDevices(): Promise<ListedDevice[]> {
  return Promise.all(
    Object.entries(DEVICES).map(async ([id, entry]): Promise<ListedDevice> => {
      if (!isFamily(entry)) return stateOf(id, entry)
      const variants = await Promise.all(
        Object.entries(entry.variants).map(([name, way]) => stateOf(`${id}:${name}`, way)),
      )
      return { ...variants[0], id, description: entry.description, variants }
    }),
  )
}

async function stateOf(id: string, way: Way | Refused): Promise<DeviceState> {
  const { description } = way
  if (!isOpenable(way)) return { id, description, supported: false, usable: false, reason: way.refused }
  const reason = (await way.missing?.()) ?? null
  return { id, description, supported: true, usable: reason === null, reason }
}
