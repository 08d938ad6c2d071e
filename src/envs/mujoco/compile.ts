import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** Compiles MuJoCo's WebAssembly binary. The result can be posted to other threads, which then load in less time. */
export async function compileMujoco(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve('@mujoco/mujoco/mujoco.wasm'))))
}
