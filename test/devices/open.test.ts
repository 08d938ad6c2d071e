import assert from 'node:assert/strict'
import test from 'node:test'
import {
  builtInDevices,
  deviceChoices,
  deviceNames,
  expectedDevice,
  listDevices,
  openDevice,
  openHost,
} from '../../src/devices/open.js'
import { loadPackage, missingPackages } from '../../src/devices/packages.js'
import { missingTensorFlow } from '../tensorflow/find.js'

test('the table lists every device, whether this machine can open it, and why not', async () => {
  const list = await listDevices()
  assert.deepEqual(
    list.map(({ id }) => id),
    ['wasm', 'reference', 'cuda', 'tfjs'],
  )
  const all = list.flatMap(({ variants = [], ...device }) => [device, ...variants])
  const states = new Map(all.map((state) => [state.id, state]))
  assert.equal(
    states.get('tfjs')!.reason,
    states.get('tfjs:wasm')!.reason,
    'a name alone means the first variant',
  )
  assert.deepEqual([states.get('tfjs:webgpu')!.supported, states.get('tfjs:webgpu')!.usable], [false, false])
  for (const { id, description, supported, usable, reason } of all) {
    assert.ok(description.length > 0)
    assert.equal(reason === null, usable, id)
    assert.doesNotMatch(reason ?? '', /\n/)
    assert.equal(deviceNames.includes(id), supported, id)
    if (builtInDevices.includes(id)) assert.ok(usable, id)
  }
  assert.deepEqual(
    all.filter(({ supported }) => supported).map(({ id }) => id),
    deviceNames,
  )
  assert.deepEqual(builtInDevices, ['wasm', 'reference'])
})

test('missing packages are named with the command that installs them', () => {
  assert.equal(missingPackages(['zod', 'commander']), null)
  assert.equal(
    missingPackages(['zod', 'no-such-package']),
    'package no-such-package is not installed: npm install zod no-such-package',
  )
  assert.equal(
    missingPackages(['no-such', '@no/such']),
    'packages no-such and @no/such are not installed: npm install no-such @no/such',
  )
  assert.equal(typeof loadPackage<{ Command: unknown }>('commander').Command, 'function')
})

test('each name opens its device, and the default device is that of rollouts itself', async () => {
  const host = await openHost()
  for (const name of builtInDevices) {
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
  const choices = `it must be one of ${deviceChoices.join(', ')}`
  // `npm run tensorflow` installs the first of the two packages.
  const missing = (await missingTensorFlow())
    ? 'packages @tensorflow/tfjs-core and @tensorflow/tfjs-node-gpu are'
    : 'package @tensorflow/tfjs-node-gpu is'
  const lines = [
    [
      'tfjs:webgpu',
      `device is "tfjs:webgpu": ${choices} (tfjs:webgpu: its results arrive asynchronously, and learners read them synchronously)`,
    ],
    ['tfjs:webgl', `device is "tfjs:webgl": ${choices}`],
    [
      'tfjs:tensorflow',
      `device is "tfjs:tensorflow": it cannot be used here: ${missing} not installed: npm install @tensorflow/tfjs-core @tensorflow/tfjs-node-gpu`,
    ],
    ['tpu', `device is "tpu": ${choices}`],
    ['wasm:2', `device is "wasm:2": ${choices} (did you mean wasm?)`],
    ['toString', `device is "toString": ${choices}`],
  ] as const
  for (const [name, message] of lines) {
    await assert.rejects(openDevice(name, host), { name: 'HatrpoError', exitCode: 2, message })
  }
  assert.match(expectedDevice(7), /^one of wasm, reference, /)
})
