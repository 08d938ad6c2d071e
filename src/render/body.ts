import type { Vector } from './vector.js'

/** A ray closer than this to its origin hits nothing: it would hit the surface that it leaves. */
export const NEAREST = 1e-6

/** A point and all that is within `radius` of it. */
export interface Ball {
  readonly at: Vector
  readonly radius: number
}

/** A shape as rays meet it, in its own frame. */
export interface Body {
  /** Radius of a sphere around the origin that holds it. */
  readonly radius: number
  /** Extent along z, by which a shape is divided into bands of colour. */
  readonly halfLength: number
  /** Points that, each with its radius, have the same extent as the shape in every direction, or a little more. */
  readonly hull: readonly Ball[]
  /** Balls that together hold it, closer than the one of `radius` does. */
  readonly cover: readonly Ball[]
  /** Whether no ray that leaves it meets it again. */
  readonly convex: boolean
  /** Distance along the ray from o in the direction of d, of length 1, or Infinity. */
  hit(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number
  /** Of the surface at a point where a ray has just hit it. @param out the normal, of length 1 */
  normal(x: number, y: number, z: number, out: Float64Array): void
}

/** Sets a vector to a direction, with length 1. */
export function setUnit(out: Float64Array, x: number, y: number, z: number): void {
  const s = 1 / Math.sqrt(x * x + y * y + z * z)
  out[0] = x * s
  out[1] = y * s
  out[2] = z * s
}
