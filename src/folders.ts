/**
 * Makes a folder, and the folders above it that are not there.
 *
 * In place of `mkdirSync` with `recursive`, which never returns for folders below /proc.
 * @returns whether the folder was not there
 * @throws the error of the file system, with its code
 */
export function makeFolders(path: string): boolean {
  const { existsSync } = process.getBuiltinModule('node:fs')
  const { dirname } = process.getBuiltinModule('node:path')
  try {
    return makeFolder(path)
  } catch (error) {
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || existsSync(above)) throw error
    makeFolders(above)
    return makeFolder(path)
  }
}

/** @returns false where there is such a folder already */
function makeFolder(path: string): boolean {
  const { mkdirSync, statSync } = process.getBuiltinModule('node:fs')
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false
    throw error
  }
}
