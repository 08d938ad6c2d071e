import { HatrpoError } from '../errors.js'

/**
 * The bytes of a compiled AssemblyScript module, which the build leaves beside the compiled TypeScript.
 * @param name without `.wasm`
 * @throws HatrpoError when it cannot be read
 */
export async function readAssembly(name: 'kernels' | 'policy' | 'stepper'): Promise<Uint8Array<ArrayBuffer>> {
  return readBytes(new URL(`../../assembly/${name}.wasm`, import.meta.url), 'run `npm run build`')
}

/**
 * The bytes of a file that belongs to the package or to one that it needs: from the disk, or over HTTP in a page.
 * @param remedy what to do when it cannot be read
 * @throws HatrpoError when it cannot be read
 */
export async function readBytes(url: URL, remedy: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (url.protocol === 'file:') {
      // Asked of the process and not imported, so that tools that bundle for pages find no Node module to resolve.
      const { readFile } = process.getBuiltinModule('node:fs/promises')
      return new Uint8Array(await readFile(url))
    }
    const response = await fetch(url)
    if (!response.ok) throw new Error(`HTTP status ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HatrpoError(`${url.href} cannot be read (${reason}): ${remedy}`, { cause })
  }
}
