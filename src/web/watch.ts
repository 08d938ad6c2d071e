import { WatchedFolder } from './folders.js'
import type { RunUpdate, SeenRun, Updates } from './updates.js'
import { WatchedRun } from './watched-run.js'

/** Milliseconds for which a search for runs holds. */
const SEARCH_EVERY = 1000

/** The runs below some folders. A run keeps its number, also where it appeared later or was deleted. */
export class Watch {
  readonly #folders: readonly WatchedFolder[]
  /** By folder; in the order of their numbers. */
  readonly #runs = new Map<string, WatchedRun>()
  #present: readonly WatchedRun[] = []
  #searched = -Infinity
  readonly #searchEvery: number

  /**
   * @param folders that exist, or may appear later
   * @param searchEvery milliseconds for which a search for runs holds
   */
  constructor(folders: readonly string[], searchEvery = SEARCH_EVERY) {
    this.#searchEvery = searchEvery
    this.#folders = folders.map((folder) => new WatchedFolder(folder, folders.length > 1))
  }

  /** Number of runs that there are now. */
  get count(): number {
    return this.#search().length
  }

  /** @param seen by number: the rows that a page has of the runs that it shows */
  updates(seen: ReadonlyMap<number, SeenRun>): Updates {
    const runs: RunUpdate[] = []
    let more = false
    for (const watched of this.#search()) {
      const update = watched.update(seen.get(watched.id))
      runs.push(update.run)
      more ||= update.more
    }
    return { runs, more }
  }

  #search(): readonly WatchedRun[] {
    const now = performance.now()
    if (now - this.#searched < this.#searchEvery) return this.#present
    this.#searched = now
    const present = new Set<WatchedRun>()
    for (const found of this.#folders.flatMap((folder) => folder.find())) {
      const run = this.#runs.get(found.dir) ?? new WatchedRun(this.#runs.size, found)
      this.#runs.set(found.dir, run)
      present.add(run)
    }
    return (this.#present = [...present])
  }
}
