import { HatrpoError } from '../errors.js'
import type { Device } from './device.js'

/** Makes every later use of a device an error, except `close`. */
export function refuseUse(device: Device): void {
  const refuse = () => {
    throw new HatrpoError(
      `device ${device.name}: it has been closed, and its tensors released; open a new device`,
    )
  }
  const methods = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(device) as object)
  for (const [name, { value }] of Object.entries(methods))
    if (typeof value === 'function' && name !== 'close')
      Object.defineProperty(device, name, { value: refuse })
  Object.defineProperty(device, 'close', { value: () => undefined })
}

/** Result of `act`. If it throws, the device or learner is closed. */
export function orClose<T>(owner: { close(): void }, act: () => T): T {
  try {
    return act()
  } catch (error) {
    owner.close()
    throw error
  }
}
