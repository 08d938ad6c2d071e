import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HatrpoError, usageError } from '../errors.js'
import { BUNDLE_FILE, loadBundle, type Bundle } from '../runtime/bundle.js'
import { PolicyError } from '../runtime/error.js'

/**
 * Reads a bundle from the disk and checks every file against bundle.json.
 * @throws HatrpoError when there is none (exit code 2), or a file is missing, torn or was changed
 */
export async function readBundle(folder: string): Promise<Bundle> {
  try {
    return await loadBundle((name) => readFileOf(folder, name))
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    if (error.cause instanceof HatrpoError) throw error.cause
    throw new HatrpoError(`bundle ${folder} is damaged: ${error.message}`, { cause: error })
  }
}

async function readFileOf(folder: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(join(folder, name)))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === 'ENOENT' || code === 'ENOTDIR'
    if (missing && name === BUNDLE_FILE)
      throw usageError(`${folder} holds no bundle: it has no ${BUNDLE_FILE}`)
    const reason = missing ? `${name} is missing` : message
    throw new HatrpoError(`bundle ${folder} is damaged: ${reason}`, { cause: error })
  }
}
