import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ElementType, HostArray } from '../../src/devices/tensor.js'
import { WasmDevice } from '../../src/devices/wasm/device.js'

export interface HelpedDevice {
  readonly device: WasmDevice
  readonly accuracy: 'bits'
  /** New array in the memory of the device, which is also the memory of rollouts. */
  array(type: ElementType, length: number): HostArray
  close(): Promise<void>
}

/** Wasm device with helper threads that run its programs. */
export async function openWasm(helpers: number): Promise<HelpedDevice> {
  const device = await WasmDevice.create()
  const workerData = { ...device.shared, control: device.control }
  const workers = Array.from(
    { length: helpers },
    () => new Worker(new URL('./helper-thread.js', import.meta.url), { workerData }),
  )
  const exits = workers.map((worker) => once(worker, 'exit'))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const close = async () => {
    device.kernels.exports.dismiss(device.control, 1)
    const codes = await Promise.all(exits)
    if (codes.some(([code]) => code !== 0)) throw new Error(`helper threads exited with ${codes}`)
  }
  const array = (type: ElementType, length: number) => device.view(device.tensor(type, length))
  return { device, accuracy: 'bits', array, close }
}

/** Opens a wasm device for a test. Its helpers are dismissed after the test, also if the test fails. */
export async function withWasm(
  helpers: number,
  use: (device: WasmDevice, dismiss: () => Promise<void>) => Promise<void> | void,
): Promise<void> {
  const { device, close } = await openWasm(helpers)
  try {
    await use(device, close)
  } finally {
    await close()
  }
}
