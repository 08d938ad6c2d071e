import { readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HatrpoError } from '../errors.js'
import { syncFolder, writeSynced } from '../files.js'

const FULL = new Set(['ENOSPC', 'EDQUOT'])

/**
 * Runs a write to disk and turns a full disk into an error of one line. Complete files remain intact, because every
 * writer writes a new file and renames it.
 */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    if (FULL.has(code))
      throw new HatrpoError(
        `the disk is full (${code} while writing ${path}): free some space and continue with --resume; earlier checkpoints are intact`,
        { cause: error },
      )
    throw new HatrpoError(`cannot write ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** Reads from disk. @throws HatrpoError in one line where that is not possible */
export function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new HatrpoError(`cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** Replaces a file in one step: after a crash it holds either the old or the new content, all of it. */
export function replaceFile(path: string, data: Uint8Array | string): void {
  const beside = `${path}.${process.pid}.tmp`
  writing(path, () => {
    try {
      writeSynced(beside, typeof data === 'string' ? Buffer.from(data) : data)
      renameSync(beside, path)
      syncFolder(dirname(path))
    } catch (error) {
      rmSync(beside, { force: true })
      throw error
    }
  })
}

/** Removes what `replaceFile` left in a directory when its process was killed. */
export function removeUnfinishedFiles(dir: string): void {
  for (const name of readdirSync(dir)) if (/\.\d+\.tmp$/.test(name)) rmSync(join(dir, name))
}
