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

/** @returns false if the folder already exists */
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

/** Writes all of `data` to an open file; `writeSync` alone may stop short. */
export function writeAll(fd: number, data: Uint8Array): void {
  const { writeSync } = process.getBuiltinModule('node:fs')
  for (let offset = 0; offset < data.length;) offset += writeSync(fd, data, offset)
}

/** Writes a new file and waits until it is on the disk. */
export function writeSynced(path: string, data: Uint8Array): void {
  const { closeSync, fsyncSync, openSync } = process.getBuiltinModule('node:fs')
  const fd = openSync(path, 'w')
  try {
    writeAll(fd, data)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Waits until a folder's entries are on the disk. Windows cannot open folders and needs no such call. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const { closeSync, fsyncSync, openSync } = process.getBuiltinModule('node:fs')
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
