import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Folder of optimised binaries, in XDG_CACHE_HOME or else in ~/.cache. */
export function optimisedFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'hatrpo')
}

/** File of the optimised form of a binary: its name has the SHA-256 of the binary. */
export function optimisedFile(binary: Uint8Array): string {
  const sha256 = createHash('sha256').update(binary).digest('hex')
  return join(optimisedFolder(), `mujoco-${sha256}.wasm`)
}

/** The optimised form of a binary where `hatrpo optimise-mujoco` has made one. */
export function readOptimised(
  binary: Uint8Array,
): { readonly file: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined {
  // The digest takes some milliseconds, which most processes need not spend.
  if (!existsSync(optimisedFolder())) return undefined
  const file = optimisedFile(binary)
  return existsSync(file) ? { file, bytes: new Uint8Array(readFileSync(file)) } : undefined
}
