import { HatrpoError, usageError } from '../../errors.js'
import { readBytes } from '../../kernels/read-bytes.js'
import { locate } from '../../runtime/location.js'
import { withoutDebugInformation } from './sections.js'

/**
 * URL of MuJoCo's binary where its package is found, or in a page, where the bundler has put the file that the second form
 * names; Vite and webpack know it.
 */
function packageUrl(): URL {
  try {
    return new URL(import.meta.resolve('@mujoco/mujoco/mujoco.wasm'))
  } catch {
    return new URL('@mujoco/mujoco/mujoco.wasm', import.meta.url)
  }
}

/**
 * MuJoCo's WebAssembly binary.
 * @throws HatrpoError when it cannot be read
 */
export function readMujoco(url: URL = packageUrl()): Promise<Uint8Array<ArrayBuffer>> {
  return readBytes(url, 'must be mujoco.wasm of @mujoco/mujoco 3.14.0')
}

/**
 * Compiles MuJoCo's WebAssembly binary, or the optimised one of `hatrpo optimise-mujoco`, which gives the same bits.
 * The result can be posted to other threads, which then load faster.
 * @param url of `mujoco.wasm` of @mujoco/mujoco, such as from a bundler's import with `?url`: absolute, or relative to
 *   the page; in Node also a path. Default: the file of the installed package.
 * @throws HatrpoError when it cannot be read
 */
export async function compileMujoco(url?: string | URL): Promise<WebAssembly.Module> {
  const from = url === undefined ? packageUrl() : located(url)
  const binary = await readMujoco(from)
  const advice = 'it must be mujoco.wasm of @mujoco/mujoco 3.14.0, whose URL compileMujoco takes'
  const compileAsIs = () => compile(withoutDebugInformation(binary), from.href, advice)
  // Pages have no cache of files.
  if (from.protocol !== 'file:') return compileAsIs()
  const { readOptimised } = await import('./optimised.js')
  const optimised = readOptimised(binary)
  if (optimised === undefined) return compileAsIs()
  return compile(optimised.bytes, optimised.file, 'delete it, or run hatrpo optimise-mujoco again')
}

let shared: Promise<WebAssembly.Module> | undefined

/**
 * MuJoCo of this thread, compiled on the first call. V8 compiles on separate threads, so the caller can do other work
 * in the meantime.
 * @throws HatrpoError when it cannot be read
 */
export function sharedMujoco(): Promise<WebAssembly.Module> {
  if (shared === undefined) {
    shared = compileMujoco()
    // Whoever waits for it sees the error; a later call may succeed, for instance in a page that was offline.
    shared.catch(() => (shared = undefined))
  }
  return shared
}

async function compile(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  advice: string,
): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HatrpoError(`${name} cannot be compiled (${reason}): ${advice}`, { cause })
  }
}

function located(url: string | URL): URL {
  try {
    return locate(url)
  } catch {
    throw usageError(
      `compileMujoco: ${JSON.stringify(url)} is not a URL: it must be that of mujoco.wasm of @mujoco/mujoco 3.14.0`,
    )
  }
}
