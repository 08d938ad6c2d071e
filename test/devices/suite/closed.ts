import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import { f32 } from './setup.js'

/** Every use of a closed device is an error of one line, except a second `close`. The last check of a device. */
export function checkClosed(device: Device): void {
  const { name } = device
  const [x, y] = [f32(device, [1, 2]), f32(device, [3, 4])]
  const program = device.compile({ rows: [{ op: 'copy', x, out: y, width: 1 }] }, 2)
  device.run(program, 2)
  device.close()
  device.close()
  const uses: Record<string, () => unknown> = {
    tensor: () => device.tensor('f32', 1),
    slice: () => device.slice(x, 0, 1),
    write: () => device.write(x, [5, 6]),
    read: () => device.read(y),
    mirror: () => device.mirror(new Float32Array(2)),
    compile: () => device.compile({ rows: [] }, 1),
    run: () => device.run(program, 2),
    dot: () => device.dot(x, y),
    fill: () => device.fill(x, 0),
    sum: () => device.sum(x),
  }
  for (const [use, call] of Object.entries(uses))
    assert.throws(
      call,
      { name: 'HatrpoError', message: new RegExp(`^device ${name}: it has been closed, .*$`) },
      use,
    )
}
