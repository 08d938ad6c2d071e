import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { usageError } from '../errors.js'

/**
 * Refuses a file to write whose folder does not exist, before anything is computed for it.
 * @throws HatrpoError (exit code 2)
 */
export function expectFile(path: string): void {
  if (path === '') throw usageError('"" cannot be written: name a file to write')
  if (existsSync(path) && statSync(path).isDirectory())
    throw usageError(`${JSON.stringify(path)} is a folder: name a file to write`)
  if (!existsSync(dirname(path)))
    throw usageError(
      `${JSON.stringify(path)} cannot be written: there is no folder ${JSON.stringify(dirname(path))}`,
    )
}
