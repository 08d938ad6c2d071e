import { HatrpoError } from '../errors.js'

/**
 * Makes a folder for temporary files.
 * @returns its path
 * @throws HatrpoError where the system's folder of temporary files cannot be written
 */
export async function temporaryFolder(): Promise<string> {
  // Asked of the process where they are used: pages import this file too, and do not come here.
  const { mkdtemp } = process.getBuiltinModule('node:fs').promises
  const { join } = process.getBuiltinModule('node:path')
  const parent = process.getBuiltinModule('node:os').tmpdir()
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
