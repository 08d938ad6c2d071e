import { HatrpoError } from '../errors.js'

/**
 * The bytes of a compiled AssemblyScript module, which the build leaves beside the compiled TypeScript.
 * @param name without `.wasm`
 * @throws HatrpoError when it cannot be read
 */
export async function readAssembly(name: 'kernels' | 'policy'): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../../assembly/${name}.wasm`, import.meta.url)
  try {
    if (url.protocol === 'file:') {
      const { readFile } = await import('node:fs/promises')
      return new Uint8Array(await readFile(url))
    }
    const response = await fetch(url)
    if (!response.ok) throw new Error(`HTTP status ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HatrpoError(`${url.href} cannot be read (${reason}): run \`npm run build\``, { cause })
  }
}
