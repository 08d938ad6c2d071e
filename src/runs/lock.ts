import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { HatrpoError } from '../errors.js'
import { writing } from './disk.js'
import { processStart } from './processes.js'

/** The process that a lock file names. */
interface Owner {
  readonly pid: number
  readonly host: string
  /** `processStart` of the pid, which tells it from a later process with the same number. */
  readonly start: string
}

/**
 * The lock of a run folder: a file that names the process writing there.
 * A lock whose process has ended is stale and is taken over.
 */
export class RunLock {
  readonly path: string
  readonly #content: string

  /** @throws HatrpoError when another living process, or this one, holds the folder */
  constructor(dir: string) {
    this.path = join(dir, 'lock')
    const owner: Owner = { pid: process.pid, host: hostname(), start: processStart(process.pid) ?? '' }
    this.#content = JSON.stringify(owner)
    // Linked from a complete file: nobody ever sees a lock without its owner.
    const beside = `${this.path}.${process.pid}`
    writing(this.path, () => writeFileSync(beside, this.#content))
    try {
      while (!this.#link(beside)) this.#removeStale(dir)
    } finally {
      rmSync(beside, { force: true })
    }
  }

  /** @throws HatrpoError when someone removed or replaced the lock since it was taken */
  assertHeld(): void {
    if (readLock(this.path) !== this.#content)
      throw new HatrpoError(
        `${this.path} was removed or taken by another process: this one stops writing there`,
      )
  }

  release(): void {
    if (readLock(this.path) === this.#content) rmSync(this.path, { force: true })
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

  #removeStale(dir: string): void {
    const found = readLock(this.path)
    if (found === undefined) return
    const owner = parseOwner(found)
    const holder = owner && livingHolder(owner)
    if (holder) throw new HatrpoError(`${dir} is in use by ${holder} (if that is wrong, delete ${this.path})`)
    // Moved aside before it is deleted: if a third process was faster, it is its new lock that was moved.
    const aside = `${this.path}.stale.${process.pid}`
    try {
      renameSync(this.path, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    if (readLock(aside) !== found) this.#link(aside)
    rmSync(aside, { force: true })
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
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

/** How an error names the process that holds a lock; undefined when it has ended. */
function livingHolder({ pid, host, start }: Owner): string | undefined {
  if (host !== hostname()) return `process ${pid} on ${host}`
  return processStart(pid) === start ? `process ${pid}` : undefined
}
