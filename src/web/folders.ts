import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'

/** Folders below a watched one that are searched for runs: runs/NAME, runs/SWEEP/TASK/s1. */
const DEPTH = 4

/** Folder of a run below a watched folder. */
export interface FoundRun {
  /** Absolute path, without symbolic links. */
  readonly dir: string
  /** Path from the watched folder; begins with that folder's name where several are watched. */
  readonly name: string
}

/** Run folders below one folder, the folder itself included. Symbolic links below it are not followed. */
export class WatchedFolder {
  readonly #path: string
  readonly #prefix: string

  /** @param prefix whether names of runs begin with the folder's path */
  constructor(path: string, prefix: boolean) {
    this.#path = resolve(path)
    this.#prefix = prefix ? path : ''
  }

  /** Runs that there are now, by name; none while the folder does not exist. */
  find(): FoundRun[] {
    if (!existsSync(this.#path)) return []
    const root = realpathSync(this.#path)
    const runs = [...runFolders(root, DEPTH)]
    return runs.map((dir) => ({
      dir,
      name: join(this.#prefix, relative(root, dir)).split(sep).join('/').replace(/^\.$/, basename(root)),
    }))
  }
}

function* runFolders(dir: string, depth: number): Generator<string> {
  let entries
  try {
    entries = readdirSync(dir, { withFileTypes: true })
  } catch {
    // Deleted in the meantime, or not readable.
    return
  }
  if (entries.some((entry) => entry.name === 'config.json' && entry.isFile())) {
    yield dir
    return
  }
  if (depth === 0) return
  // isDirectory is false for symbolic links.
  const folders = entries.filter((entry) => entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name))
  const names = folders.map(({ name }) => name).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  for (const name of names) yield* runFolders(join(dir, name), depth - 1)
}

/**
 * Calls `use` with a descriptor of a regular file in a folder. Symbolic links are not followed, neither for the file
 * nor for folders in its path.
 * @param dir folder found by `WatchedFolder`
 * @returns undefined without such a file
 */
export function withFile<T>(dir: string, name: string, use: (file: number) => T): T | undefined {
  let file: number
  try {
    if (realpathSync(dir) !== dir) return undefined
    // Opening a named pipe would wait for its writer.
    file = openSync(join(dir, name), constants.O_RDONLY | noFollow | noWait)
  } catch {
    return undefined
  }
  try {
    return fstatSync(file).isFile() ? use(file) : undefined
  } finally {
    closeSync(file)
  }
}

/** Flags that Windows lacks. */
const { O_NOFOLLOW: noFollow = 0, O_NONBLOCK: noWait = 0 } = constants as Partial<typeof constants>

/**
 * Content of a file of a folder, read again after a change. It is read from the descriptor that `withFile` has checked,
 * even if the name refers to another file by then.
 */
export class FileView<T> {
  readonly #dir: string
  readonly #name: string
  readonly #read: (text: string) => T
  #version = ''
  #content: T | undefined

  /** @param read called for a regular file only, and only where it has changed */
  constructor(dir: string, name: string, read: (text: string) => T) {
    this.#dir = dir
    this.#name = name
    this.#read = read
  }

  /**
   * Content of the file, the same object while it is unchanged; undefined without a file.
   * @throws exceptions of `read` and of reading the file
   */
  get content(): T | undefined {
    return withFile(this.#dir, this.#name, (file) => {
      const { size, mtimeMs, ino } = fstatSync(file)
      const version = `${size} ${mtimeMs} ${ino}`
      if (version !== this.#version) {
        this.#version = ''
        this.#content = this.#read(readFileSync(file, 'utf8'))
        this.#version = version
      }
      return this.#content
    })
  }
}
