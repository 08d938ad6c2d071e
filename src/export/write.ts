import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { HatrpoError, usageError } from '../errors.js'
import { makeFolders, syncFolder, writeSynced } from '../files.js'
import { BUNDLE_FILE, parseBundleInfo } from '../runtime/bundle.js'
import { bundleFiles, type BundleContent, type BundleOrigin, type BundlePolicy } from './bundle.js'

/** Files that were written. */
export interface WrittenBundle {
  readonly out: string
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

/**
 * Writes a bundle into a new or empty folder, or in place of an earlier bundle. The folder is replaced in one step
 * after all files are on the disk; after a failure it is unchanged.
 * @param out the folder
 * @throws HatrpoError when the folder contains anything but a bundle, and on a full disk
 */
export async function writeBundle(
  out: string,
  policies: readonly BundlePolicy[],
  origin: BundleOrigin,
): Promise<WrittenBundle> {
  assertReplaceable(out)
  const files = await bundleFiles(policies, origin)
  replaceFolder(out, files)
  return { out, files: files.map(({ name, bytes }) => ({ name, bytes: bytes.length })) }
}

/** Refuses a folder whose files would be lost. */
export function assertReplaceable(out: string): void {
  // An empty path refers to the working directory, but does not exist as a name.
  if (out === '') throw usageError('--out is "": name a new or empty folder')
  if (!existsSync(out)) return
  if (!statSync(out).isDirectory()) throw usageError(`--out ${out} is a file: name a new or empty folder`)
  const present = readdirSync(out)
  if (present.length === 0) return
  const own = bundleNames(out)
  const foreign = present.find((name) => !own.includes(name))
  if (foreign !== undefined) {
    const what = own.length > 0 ? `is a bundle with another file (${foreign})` : `is not empty (${foreign})`
    throw usageError(`--out ${out} ${what}: name a new or empty folder, or one that holds a bundle alone`)
  }
}

/** Names of the files of the bundle in a folder; empty without a bundle. */
function bundleNames(folder: string): string[] {
  try {
    const { agents } = parseBundleInfo(readFileSync(join(folder, BUNDLE_FILE), 'utf8'))
    return [BUNDLE_FILE, ...agents.map(({ file }) => file)]
  } catch {
    return []
  }
}

/** Replaces a folder by one with these files, which is written beside it, synced and renamed. */
function replaceFolder(out: string, files: readonly BundleContent[]): void {
  const target = resolve(out)
  const fresh = `${target}.new-${process.pid}`
  const retired = `${target}.old-${process.pid}`
  try {
    makeFolders(dirname(target))
    // A killed process with the same number may have left some.
    remove(fresh, retired)
    try {
      mkdirSync(fresh)
      for (const { name, bytes } of files) writeSynced(join(fresh, name), bytes)
      syncFolder(fresh)
      exchange(target, fresh, retired)
    } finally {
      remove(fresh, retired)
    }
  } catch (error) {
    throw cannotWrite(out, error)
  }
}

/** Gives `fresh` the name `target`; what had it before is then called `retired`, unless the exchange fails. */
function exchange(target: string, fresh: string, retired: string): void {
  const earlier = existsSync(target)
  if (earlier) renameSync(target, retired)
  try {
    renameSync(fresh, target)
  } catch (error) {
    if (earlier) renameSync(retired, target)
    throw error
  }
  syncFolder(dirname(target))
}

function remove(...folders: string[]): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** One line for a failed write. */
function cannotWrite(out: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  const reason = full ? `the disk is full (${code}); free some space and export again` : message
  return new HatrpoError(`cannot write the bundle ${out}: ${reason}`, { cause: error })
}
