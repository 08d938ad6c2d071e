import { cosine, sine } from '../envs/trigonometry.js'
import type { Targets } from './targets.js'
import { normalise, PI, tangents, type Vector } from './vector.js'

export const SUN = normalise([-0.45, -0.55, 1.15])
/** Radius of the sun's disc, as a tangent: it softens shadows. */
const SUN_RADIUS = 0.12
export const SUN_LIGHT: Vector = [2.05, 1.98, 1.86]
export const SKY_LIGHT: Vector = [0.72, 0.79, 0.9]
export const GROUND_LIGHT: Vector = [0.34, 0.33, 0.32]

/** Rays to the sun and to the sky from a point. */
const RAYS = 64

/** Point i of a sequence that fills the unit square evenly (M. Roberts 2018, from the plastic number). */
export function evenPoint(i: number): [number, number] {
  return [(0.5 + 0.7548776662466927 * i) % 1, (0.5 + 0.5698402909980532 * i) % 1]
}

function polar(r: number, turn: number): [number, number] {
  return [r * cosine(2 * PI * turn), r * sine(2 * PI * turn)]
}

/** Directions to the sun's disc, three numbers each. */
const SUN_RAYS = Float64Array.from(
  Array.from({ length: RAYS }, (_, i) => {
    const [u, v] = evenPoint(i)
    const [a, b] = tangents(SUN)
    const [x, y] = polar(SUN_RADIUS * Math.sqrt(u), v)
    return normalise([0, 1, 2].map((k) => SUN[k] + x * a[k] + y * b[k]) as unknown as Vector)
  }).flat(),
)

/** Directions above z, as dense as light from an even sky falls in, three numbers each. */
const SKY_RAYS = Float64Array.from(
  Array.from({ length: RAYS }, (_, i) => {
    const [u, v] = evenPoint(i)
    const [x, y] = polar(Math.sqrt(u), v)
    return [x, y, Math.sqrt(1 - u)]
  }).flat(),
)

/** Amount of light of the sun and the sky at points of a scene. */
export class Light {
  readonly #targets: Targets
  readonly #ground: number | undefined
  /** Distance beyond which nothing hides the sky. */
  readonly #reach: number
  readonly #near: Int32Array

  constructor(targets: Targets, ground: number | undefined, reach: number) {
    this.#targets = targets
    this.#ground = ground
    this.#reach = reach
    this.#near = new Int32Array(targets.count)
  }

  /** A convex solid hides nothing from its own surface. */
  #ownOf(solid: number): number {
    return solid >= 0 && this.#targets.bodies[solid].convex ? solid : -1
  }

  /**
   * Share of the sun's disc that is seen from a point, by every `stride`-th ray.
   * @param solid that the point is on; -1 for none
   */
  sun(x: number, y: number, z: number, solid: number, stride: number): number {
    const targets = this.#targets
    const near = this.#near
    const among = targets.inCone(x, y, z, SUN, SUN_RADIUS, this.#ownOf(solid), near)
    if (among === 0) return 1
    let seen = 0
    let count = 0
    // The solid that hid the sun from the last ray is tried first.
    let last = 0
    for (let r = 0; r < 3 * RAYS; r += 3 * stride, count++) {
      const dx = SUN_RAYS[r]
      const dy = SUN_RAYS[r + 1]
      const dz = SUN_RAYS[r + 2]
      if (targets.hit(near[last], x, y, z, dx, dy, dz) < Infinity) continue
      let hidden = false
      for (let k = 0; k < among && !hidden; k++) {
        if (k === last || targets.hit(near[k], x, y, z, dx, dy, dz) === Infinity) continue
        hidden = true
        last = k
      }
      if (!hidden) seen++
    }
    return seen / count
  }

  /**
   * Visible fraction of the sky at a point; nearer obstacles reduce it more.
   * @param n normal of the surface at the point
   */
  sky(x: number, y: number, z: number, n: Float64Array, solid: number, stride: number): number {
    const targets = this.#targets
    const near = this.#near
    const reach = this.#reach
    const among = targets.above(x, y, z, n, reach, this.#ownOf(solid), near)
    const level = this.#ground === undefined ? Infinity : z - this.#ground
    if (among === 0 && (n[2] > 0.999 || level > reach)) return 1
    const [a, b] = tangents([n[0], n[1], n[2]])
    let light = 0
    let count = 0
    for (let r = 0; r < 3 * RAYS; r += 3 * stride, count++) {
      const u = SKY_RAYS[r]
      const v = SKY_RAYS[r + 1]
      const w = SKY_RAYS[r + 2]
      const dx = u * a[0] + v * b[0] + w * n[0]
      const dy = u * a[1] + v * b[1] + w * n[1]
      const dz = u * a[2] + v * b[2] + w * n[2]
      let nearest = reach
      for (let k = 0; k < among; k++) {
        const t = targets.hit(near[k], x, y, z, dx, dy, dz)
        if (t < nearest) nearest = t
      }
      if (dz < 0 && level < Infinity) nearest = Math.min(nearest, Math.max(0, -level / dz))
      light += Math.sqrt(nearest / reach)
    }
    return light / count
  }
}
