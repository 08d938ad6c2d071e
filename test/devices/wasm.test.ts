import test from 'node:test'
import { openWasm } from './helpers.js'
import { deviceSuite } from './suite.js'

for (const helpers of [0, 3]) {
  test(`device wasm with ${helpers} helper threads`, (t) =>
    deviceSuite(t, async () => {
      const { device, close } = await openWasm(helpers)
      return { device, accuracy: 'bits', array: (type, n) => device.view(device.tensor(type, n)), close }
    }))
}
