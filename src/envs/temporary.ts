import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HatrpoError } from '../errors.js'

/**
 * Makes a folder for temporary files.
 * @returns its path
 * @throws HatrpoError where the system's folder of temporary files cannot be written
 */
export async function temporaryFolder(): Promise<string> {
  const parent = tmpdir()
  try {
    return await mkdtemp(join(parent, 'hatrpo-'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new HatrpoError(
      `cannot write temporary files in ${parent} (${code ?? message}): set TMPDIR to a folder that can be written, such as /tmp`,
      { cause: error },
    )
  }
}
