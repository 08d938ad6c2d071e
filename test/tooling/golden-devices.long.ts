// HARL's numbers on every device of this machine that not every machine has.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkLearnerFile } from '../../scripts/golden/kinds.js'
import { builtInDevices, comparableDevices } from '../../src/devices/open.js'

const folder = fileURLToPath(new URL('../../../test/golden/harl/', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
const devices = (await comparableDevices()).filter((name) => !builtInDevices.includes(name))

for (const device of devices)
  for (const name of files)
    for (const way of name.includes('hatrpo') ? (['layerwise', 'jacobian'] as const) : (['chosen'] as const))
      test(`${name}, device ${device}, derivatives ${way}: within the bounds that the file suggests`, async () => {
        const { comparisons } = await checkLearnerFile(folder + name, device, way)
        assert.ok(comparisons.length > 0)
        for (const { quantity, maxAbs, suggested } of comparisons)
          assert.ok(maxAbs <= suggested, `${quantity}: ${maxAbs} > ${suggested}`)
      })

if (devices.length === 0) test('golden files', { skip: 'this machine has built-in devices alone' })
