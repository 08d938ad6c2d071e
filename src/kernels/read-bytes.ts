import { HatrpoError } from '../errors.js'

/**
 * Bytes of a file of the package or of one of its dependencies, from the disk or, in a page, over HTTP.
 * @param remedy advice for the error message
 * @throws HatrpoError when it cannot be read
 */
export async function readBytes(url: URL, remedy: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (url.protocol === 'file:') {
      // Obtained from the process instead of an import: bundlers for pages would try to resolve an imported Node module.
      const { readFileSync } = process.getBuiltinModule('node:fs')
      // Not the asynchronous read, which takes MuJoCo's 10 MB through the thread pool in small pieces: 10 times as long.
      return new Uint8Array(readFileSync(url))
    }
    const response = await fetch(url)
    if (!response.ok) throw new Error(`HTTP status ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HatrpoError(`${url.href} cannot be read (${reason}): ${remedy}`, { cause })
  }
}
