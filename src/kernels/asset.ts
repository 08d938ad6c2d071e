import { CODE } from '../place.js'
import { readBytes } from './read-bytes.js'

/**
 * Bytes of a compiled AssemblyScript module. The build writes it beside the compiled TypeScript.
 * @param name file name without `.wasm`
 * @throws HatrpoError when it cannot be read
 */
export async function readAssembly(
  name: 'kernels' | 'kernels-wide' | 'peak' | 'policy' | 'policy-bounded' | 'policy-choice' | 'stepper',
): Promise<Uint8Array<ArrayBuffer>> {
  return readBytes(new URL(`../assembly/${name}.wasm`, CODE), 'run `npm run build`')
}
