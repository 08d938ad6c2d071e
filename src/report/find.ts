import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HatrpoError, usageError } from '../errors.js'

/** Depth of the folders that are searched for runs. */
const DEPTH = 4

/** A run folder, and the name that it was given under. */
export interface FoundRun {
  readonly dir: string
  /** Name of the method, where the caller gave one. */
  readonly label: string | undefined
}

/**
 * Run folders of a command's arguments: of a run, of a folder that holds runs at some depth, or of `NAME=PATH,PATH`, runs
 * whose method is to be called NAME. Each folder counts once.
 *
 * @throws HatrpoError (exit code 2) for a path that does not exist or holds no run
 */
export function findRuns(args: readonly string[]): FoundRun[] {
  const found = new Map<string, FoundRun>()
  for (const arg of args) {
    const { label, paths } = namedPaths(arg)
    for (const path of paths)
      for (const dir of runsUnder(path)) {
        const place = realpathSync(dir)
        const earlier = found.get(place)
        if (earlier && earlier.label !== label && label !== undefined && earlier.label !== undefined)
          throw usageError(`${dir} is given as ${earlier.label} and as ${label}: a run belongs to one method`)
        if (!earlier || earlier.label === undefined) found.set(place, { dir, label })
      }
  }
  return [...found.values()]
}

function namedPaths(arg: string): { label: string | undefined; paths: string[] } {
  const at = arg.indexOf('=')
  if (existsSync(arg) || at < 0) return { label: undefined, paths: [arg] }
  const label = arg.slice(0, at).trim()
  const paths = arg.slice(at + 1).split(',')
  if (label === '' || paths.includes(''))
    throw usageError(`${JSON.stringify(arg)} names no runs: it must be a folder, or NAME=FOLDER,FOLDER`)
  return { label, paths }
}

function runsUnder(path: string): string[] {
  if (!existsSync(path))
    throw usageError(`there is no run at ${JSON.stringify(path)}: name a run, or a folder of runs`)
  if (!statSync(path).isDirectory())
    throw usageError(`${JSON.stringify(path)} is a file: name the folder of a run, or a folder of runs`)
  const runs = search(path, DEPTH)
  if (runs.length === 0)
    throw usageError(`${JSON.stringify(path)} holds no run: no folder in it has a config.json`)
  return runs
}

function search(dir: string, depth: number): string[] {
  if (existsSync(join(dir, 'config.json'))) return [dir]
  if (depth === 0) return []
  return entriesOf(dir)
    .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(dir, entry.name))))
    .map(({ name }) => name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .flatMap((name) => search(join(dir, name), depth - 1))
}

function entriesOf(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch (error) {
    throw new HatrpoError(`${dir} cannot be searched for runs: ${(error as Error).message}`, { cause: error })
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
