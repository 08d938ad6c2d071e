import { rm, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BundledSource } from './bundle-source.js'
import { temporaryFolder } from './temporary.js'

/** Imports bundled code from a file that no other thread has, and that is gone when it is loaded. */
export async function importCode({ path, code }: BundledSource): Promise<Readonly<Record<string, unknown>>> {
  // Stack traces then name the user's lines: the bundle carries a source map.
  process.setSourceMapsEnabled?.(true)
  const folder = await temporaryFolder()
  try {
    const file = join(folder, `${basename(path, extname(path))}.mjs`)
    await writeFile(file, code)
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
