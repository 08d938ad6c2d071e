import assert from 'node:assert/strict'
import test from 'node:test'
import { deviceNames, expectedDevice, listDevices, openDevice, openHost } from '../../src/devices/open.js'

test('the table lists every device, and deviceNames are those that can be opened', async () => {
  const list = listDevices()
  assert.deepEqual(
    list.map(({ id, supported }) => [id, supported]),
    [
      ['wasm', true],
      ['reference', true],
      ['cuda', false],
      ['tfjs', false],
    ],
  )
  assert.ok(list.every(({ description }) => description.length > 0))
  assert.deepEqual(
    list.filter(({ supported }) => supported).map(({ id }) => id),
    deviceNames,
  )
})

test('each name opens its device, and the default device is that of rollouts itself', async () => {
  const host = await openHost()
  for (const name of deviceNames) {
    const device = await openDevice(name, host)
    assert.equal(device.name, name)
    const tensor = device.tensor('f32', 2)
    device.write(tensor, [3, 4])
    assert.equal(device.dot(tensor, tensor), 25)
  }
  assert.equal(await openDevice('wasm', host), host)
  assert.notEqual(await openDevice('reference', host), await openDevice('reference', host))
})

test('an unknown or unsupported device is an error of one line with the choices', async () => {
  const host = await openHost()
  const lines = [
    ['cuda', 'device is "cuda": it must be wasm or reference (cuda is not supported yet)'],
    ['tfjs:webgl', 'device is "tfjs:webgl": it must be wasm or reference (tfjs:webgl is not supported yet)'],
    ['auto', 'device is "auto": it must be wasm or reference (auto is not supported yet)'],
    ['tpu', 'device is "tpu": it must be wasm or reference'],
    ['wasm:2', 'device is "wasm:2": it must be wasm or reference (did you mean wasm?)'],
    ['toString', 'device is "toString": it must be wasm or reference'],
  ] as const
  for (const [name, message] of lines) {
    await assert.rejects(openDevice(name, host), { name: 'HatrpoError', exitCode: 2, message })
  }
  assert.equal(expectedDevice(7), 'wasm or reference')
})
