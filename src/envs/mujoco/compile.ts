import { readBytes } from '../../kernels/asset.js'

/**
 * Compiles MuJoCo's WebAssembly binary. The result can be posted to other threads, which then load in less time.
 * @param url of `mujoco.wasm` of @mujoco/mujoco; without one, where that package is found. Code that was bundled for a
 *   page has no packages any more and must say where the file is served.
 * @throws HatrpoError when it cannot be read
 */
export async function compileMujoco(url?: string | URL): Promise<WebAssembly.Module> {
  const from = new URL(url ?? import.meta.resolve('@mujoco/mujoco/mujoco.wasm'))
  return WebAssembly.compile(await readBytes(from, 'must be mujoco.wasm of @mujoco/mujoco 3.14.0'))
}
