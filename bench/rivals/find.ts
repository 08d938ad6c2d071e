import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { PolicyRival } from '../../src/bench/rivals.js'
import { onnxRuntimeRival, type OnnxRuntime } from './onnxruntime.js'
import { tensorFlowRival, type TensorFlow } from './tensorflow.js'

const FOLDER = fileURLToPath(new URL('../../../bench/rivals/', import.meta.url))

/**
 * Implementations of policies that are installed in bench/rivals.
 * @returns one line with the missing packages if they are not
 */
export async function findPolicyRivals(): Promise<readonly PolicyRival[] | string> {
  if (!existsSync(`${FOLDER}node_modules`)) return 'run `npm run rivals` to install them'
  const require = createRequire(`${FOLDER}package.json`)
  const load = async <T>(name: string) => (await import(pathToFileURL(require.resolve(name)).href)) as T
  const runtime = await load<{ default: OnnxRuntime }>('onnxruntime-web')
  const tf = await load<{ default: TensorFlow }>('@tensorflow/tfjs-core')
  await load('@tensorflow/tfjs-backend-wasm')
  if (!(await tf.default.setBackend('wasm'))) throw new Error('TensorFlow.js has no backend wasm')
  await tf.default.ready()
  return [onnxRuntimeRival(runtime.default), tensorFlowRival(tf.default)]
}
