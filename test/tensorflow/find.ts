import { listDevices } from '../../src/devices/open.js'

/** Device of TensorFlow.js that tests use. */
export const TFJS = 'tfjs:wasm'

/** False, or the reason why the tests' TensorFlow.js cannot be used, for `skip` of node:test. */
export async function missingTensorFlow(): Promise<false | string> {
  const listed = (await listDevices()).flatMap(({ variants = [] }) => variants)
  const reason = listed.find(({ id }) => id === TFJS)?.reason ?? null
  if (reason === null) return false
  if (process.env['HATRPO_TEST_HOSTS'] === 'required') throw new Error(`${TFJS}: ${reason}`)
  return 'not installed: npm run tensorflow, and run tests by scripts/test.mjs'
}
