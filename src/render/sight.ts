import type { Camera } from './camera.js'
import type { Targets } from './targets.js'
import type { Vector } from './vector.js'

/** Pixels along a side of the squares whose rays are compared with the same solids. */
export const TILE = 8

/** Surfaces; those of solids follow. A seen surface is `BANDS` times its number, plus its band of colour. */
export const SKY = 0
export const GROUND = 1
export const SOLIDS = 2
export const BANDS = 64

/** Rays from a camera through the points of a picture, which are given in pixels. */
export class Sight {
  readonly direction = new Float64Array(3)
  /** Of the last `find`. */
  distance = 0
  readonly #width: number
  readonly #height: number
  readonly #camera: Camera
  readonly #targets: Targets
  readonly #level: number | undefined
  readonly #tile: number
  /** Solids near the rays of a tile. */
  readonly #near: Int32Array
  #nearCount = 0

  /** @param level height of the ground; undefined without ground @param tile length of the ground's tiles */
  constructor(
    { width, height }: { readonly width: number; readonly height: number },
    camera: Camera,
    targets: Targets,
    level: number | undefined,
    tile: number,
  ) {
    this.#width = width
    this.#height = height
    this.#camera = camera
    this.#targets = targets
    this.#level = level
    this.#tile = tile
    this.#near = new Int32Array(targets.count)
  }

  /** The ray through a point of the picture, in pixels, into `direction`. */
  aim(x: number, y: number): void {
    const { forward, right, up } = this.#camera
    const across = (2 * x) / this.#width - 1
    const above = 1 - (2 * y) / this.#height
    const dx = forward[0] + across * right[0] + above * up[0]
    const dy = forward[1] + across * right[1] + above * up[1]
    const dz = forward[2] + across * right[2] + above * up[2]
    const s = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz)
    this.direction[0] = dx * s
    this.direction[1] = dy * s
    this.direction[2] = dz * s
  }

  /** Finds the solids that the rays of a tile can meet. */
  gather(x: number, y: number): void {
    const middle = TILE / 2
    this.aim(x + middle, y + middle)
    const [ax, ay, az] = this.direction
    const axis: Vector = [ax, ay, az]
    let least = 1
    for (const dx of [0, TILE]) {
      for (const dy of [0, TILE]) {
        this.aim(x + dx, y + dy)
        const d = this.direction
        least = Math.min(least, d[0] * ax + d[1] * ay + d[2] * az)
      }
    }
    const slope = (1.01 * Math.sqrt(1 - least * least)) / least
    const [ox, oy, oz] = this.#camera.eye
    this.#nearCount = this.#targets.inCone(ox, oy, oz, axis, slope, -1, this.#near)
  }

  /** Surface and band that are seen at a point of the picture; sets `distance` and `direction`. */
  find(x: number, y: number): number {
    this.aim(x, y)
    const d = this.direction
    const { eye } = this.#camera
    let nearest = Infinity
    let found = -1
    for (let k = 0; k < this.#nearCount; k++) {
      const t = this.#targets.hit(this.#near[k], eye[0], eye[1], eye[2], d[0], d[1], d[2])
      if (t < nearest) {
        nearest = t
        found = this.#near[k]
      }
    }
    const level = this.#level
    if (level !== undefined && d[2] < 0 && (level - eye[2]) / d[2] < nearest && eye[2] > level) {
      const t = (this.distance = (level - eye[2]) / d[2])
      const column = Math.floor((eye[0] + t * d[0]) / this.#tile)
      const row = Math.floor((eye[1] + t * d[1]) / this.#tile)
      return GROUND * BANDS + ((column + row) & 1)
    }
    this.distance = nearest
    if (found < 0) return SKY
    const [px, py, pz] = [eye[0] + nearest * d[0], eye[1] + nearest * d[1], eye[2] + nearest * d[2]]
    return (SOLIDS + found) * BANDS + this.#targets.band(found, px, py, pz)
  }
}
