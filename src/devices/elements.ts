import type { Device, Mirror } from './device.js'
import type { ElementType, HostArray, Tensor } from './tensor.js'

/** Bytes of an element. */
export const BYTES: Readonly<Record<ElementType, number>> = { f32: 4, f64: 8, i32: 4, u8: 1 }

export function elementType(array: HostArray): ElementType {
  if (array instanceof Float32Array) return 'f32'
  if (array instanceof Float64Array) return 'f64'
  return array instanceof Int32Array ? 'i32' : 'u8'
}

export function lengthError(x: Tensor, y: Tensor): RangeError {
  return new RangeError(`tensors of ${x.length} and ${y.length} elements`)
}

/** Mirror of an array outside the memory of the device. Every transfer is a copy. */
export function copyingMirror(device: Device, array: HostArray): Mirror {
  const tensor = device.tensor(elementType(array), array.length)
  const upload = () => device.write(tensor, array)
  upload()
  return { tensor, upload, download: () => array.set(device.read(tensor)) }
}
