import { Piscina } from 'piscina'
import type { Shape } from '../envs/scene.js'
import { HatrpoError } from '../errors.js'
import { WORKERS } from '../place.js'
import { Painter, type PaintOrder } from './painter.js'

/** Pictures that are drawn or wait for their turn, per thread. */
const AHEAD = 3

/** Draws pictures, on separate threads if there are any. */
export class Studio {
  readonly #pool: Piscina<PaintOrder, Uint8Array<ArrayBuffer>> | undefined
  readonly #painter: Painter
  readonly #ahead: number

  /**
   * @param workers threads that draw; 0 for the calling one alone
   * @param meshes of all scenes, by number
   */
  constructor(workers: number, meshes: readonly Shape[]) {
    this.#painter = new Painter(meshes)
    this.#ahead = Math.max(1, AHEAD * workers)
    if (workers === 0) return
    this.#pool = new Piscina({
      filename: new URL('paint.cjs', WORKERS).href,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Infinity,
      workerData: meshes,
    })
    // Tasks report failures; one between tasks is of no consequence, since Piscina replaces the thread.
    this.#pool.on('error', () => {})
  }

  /** The pictures in order. The result does not depend on the number of threads. */
  async *paint(orders: readonly PaintOrder[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const begun = new Map<number, Promise<Uint8Array<ArrayBuffer>>>()
    let next = 0
    for (let i = 0; i < orders.length; i++) {
      for (; next < Math.min(orders.length, i + this.#ahead); next++) {
        const picture = this.#paintOne(orders[next])
        // Awaited below; until then a failure must not count as unhandled.
        picture.catch(() => {})
        begun.set(next, picture)
      }
      yield await begun.get(i)!
      begun.delete(i)
    }
  }

  async close(): Promise<void> {
    await this.#pool?.destroy()
  }

  async #paintOne(order: PaintOrder): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#pool === undefined) return this.#painter.paint(order)
    try {
      return await this.#pool.run(order)
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new HatrpoError(`a thread that draws failed: ${message.split('\n')[0]}`, { cause })
    }
  }
}
