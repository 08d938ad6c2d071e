import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { HatrpoError } from '../errors.js'
import { WORKERS } from '../place.js'
import { writing } from './disk.js'
import { processStart } from './processes.js'
import type { LockRefresh } from './refresh.js'

/** Milliseconds between two refreshes of a lock. */
const REFRESH_EVERY = 15_000
/**
 * Milliseconds without a refresh after which another host's lock is stale: several refreshes, and the minute for which
 * a network file system may show an old modification time.
 */
const STALE_AFTER = 120_000

/** The process that a lock file names. */
interface Owner {
  readonly pid: number
  readonly host: string
  /** `processStart` of the pid, which distinguishes it from a later process with the same number. */
  readonly start: string
}

/** The content of a lock file, and the time of its last refresh. */
interface Found {
  readonly content: string
  /** Milliseconds, by the clock of the file system. */
  readonly refreshed: number
}

/** Locks that this process holds. */
const held = new Set<RunLock>()

/** Removes the locks that this process holds, for an immediate end of the process. */
export function releaseLocks(): void {
  for (const lock of held) lock.release()
}

/**
 * The lock of a run folder: a file that names the process writing there.
 * A lock is stale, and is taken over, when its process on this host has ended, or when a process on another host, which
 * cannot be looked at from here, has not refreshed it for two minutes. Ages are differences of modification times on one
 * file system, so the clocks of the hosts do not matter.
 */
export class RunLock {
  readonly path: string
  readonly #content: string
  readonly #released = new SharedArrayBuffer(4)
  #refreshError: Error | undefined

  /**
   * @param refreshEvery milliseconds
   * @throws HatrpoError when another living process, or this one, holds the folder
   */
  constructor(dir: string, refreshEvery = REFRESH_EVERY) {
    this.path = join(dir, 'lock')
    const owner: Owner = { pid: process.pid, host: hostname(), start: processStart(process.pid) ?? '' }
    this.#content = JSON.stringify(owner)
    // Linked from a complete file, so no process ever reads a lock without its owner.
    const beside = `${this.path}.${process.pid}`
    writing(this.path, () => writeFileSync(beside, this.#content))
    try {
      while (!this.#link(beside)) this.#removeStale(dir, statSync(beside).mtimeMs)
    } finally {
      rmSync(beside, { force: true })
    }
    this.#startRefreshing(refreshEvery)
    if (held.size === 0) process.on('exit', releaseLocks)
    held.add(this)
  }

  /** @throws HatrpoError when someone removed or replaced the lock since it was taken, or it can no longer be refreshed */
  assertHeld(): void {
    if (this.#refreshError)
      throw new HatrpoError(`cannot refresh ${this.path}: ${this.#refreshError.message}`, {
        cause: this.#refreshError,
      })
    if (readLock(this.path)?.content !== this.#content)
      throw new HatrpoError(
        `${this.path} was removed or taken by another process: this one stops writing there`,
      )
  }

  isHeld(): boolean {
    return !this.#refreshError && readLock(this.path)?.content === this.#content
  }

  release(): void {
    held.delete(this)
    if (held.size === 0) process.off('exit', releaseLocks)
    Atomics.store(new Int32Array(this.#released), 0, 1)
    Atomics.notify(new Int32Array(this.#released), 0)
    if (readLock(this.path)?.content !== this.#content) return
    try {
      rmSync(this.path, { force: true })
    } catch {
      // A disk that became read-only. The lock is stale when this process has ended.
    }
  }

  // A timer of this thread would wait for the end of an update, which may take minutes.
  #startRefreshing(every: number): void {
    const workerData: LockRefresh = {
      path: this.path,
      content: this.#content,
      every,
      released: this.#released,
    }
    const thread = new Worker(new URL('refresh-lock.js', WORKERS), { workerData })
    thread.on('error', (error: Error) => (this.#refreshError = error))
    // It does not keep the program from ending.
    thread.unref()
  }

  #link(beside: string): boolean {
    try {
      linkSync(beside, this.path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw new HatrpoError(`cannot lock ${this.path}: ${(error as Error).message}`, { cause: error })
    }
  }

  /** @param now the file system's time */
  #removeStale(dir: string, now: number): void {
    const found = readLock(this.path)
    if (found === undefined) return
    const owner = parseOwner(found.content)
    const holder = owner && livingHolder(owner, now - found.refreshed)
    if (holder) throw new HatrpoError(`${dir} is in use by ${holder} (if that is wrong, delete ${this.path})`)
    // Moved aside before it is deleted: if a third process was faster, it is its new lock that was moved.
    const aside = `${this.path}.stale.${process.pid}`
    try {
      renameSync(this.path, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    if (readLock(aside)?.content !== found.content) this.#link(aside)
    rmSync(aside, { force: true })
  }
}

/**
 * Whether a living process holds a run folder, without writing there. The age of another host's lock is measured by this
 * machine's clock.
 */
export function isHeld(dir: string): boolean {
  const found = readLock(join(dir, 'lock'))
  const owner = found && parseOwner(found.content)
  return owner !== undefined && livingHolder(owner, Date.now() - found!.refreshed) !== undefined
}

/** @returns undefined without a lock */
function readLock(path: string): Found | undefined {
  let file: number
  try {
    // Opened first, because a network file system refreshes attributes when a file is opened.
    file = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    return { content: readFileSync(file, 'utf8'), refreshed: fstatSync(file).mtimeMs }
  } finally {
    closeSync(file)
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner
    return Number.isSafeInteger(owner.pid) && owner.pid > 0 ? owner : undefined
  } catch {
    return undefined
  }
}

/**
 * The process that holds a lock, as an error names it; undefined when the lock is stale.
 * @param age milliseconds since the last refresh
 */
function livingHolder({ pid, host, start }: Owner, age: number): string | undefined {
  if (host === hostname()) return processStart(pid) === start ? `process ${pid}` : undefined
  if (age >= STALE_AFTER) return undefined
  const [ago, limit] = [Math.max(0, age), STALE_AFTER].map((ms) => Math.floor(ms / 1000))
  return `process ${pid} on ${host}: its lock was refreshed ${ago} s ago and is stale after ${limit} s`
}
