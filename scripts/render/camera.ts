import type { Solid } from './scene.js'
import { add, cross, dot, normalise, scale, type Vector } from './vector.js'

/** From where a scene is looked at. */
export interface View {
  /** Degrees about the vertical: 0 looks along x, 90 along y. */
  readonly azimuth: number
  /** Degrees above the ground. */
  readonly elevation: number
  /** Share of the picture's width and height that the solids leave free on each side. */
  readonly margin?: number
}

/** A pinhole: a point of the picture, from -1 to 1, is seen along forward + x right + y up. */
export interface Camera {
  readonly eye: Vector
  readonly forward: Vector
  readonly right: Vector
  readonly up: Vector
}

/** Half the vertical angle of view, as a tangent. */
const HALF_HEIGHT = Math.tan((14 * Math.PI) / 180)

/** The camera from which all solids just fit into the picture. @param aspect width over height */
export function fitCamera(solids: readonly Solid[], view: View, aspect: number): Camera {
  const azimuth = (view.azimuth * Math.PI) / 180
  const elevation = (view.elevation * Math.PI) / 180
  const flat = Math.cos(elevation)
  const forward: Vector = [flat * Math.cos(azimuth), flat * Math.sin(azimuth), -Math.sin(elevation)]
  const right = normalise(cross(forward, [0, 0, 1]))
  const up = cross(right, forward)
  const inside = 1 - 2 * (view.margin ?? 0.12)
  const tanX = HALF_HEIGHT * aspect * inside
  const tanY = HALF_HEIGHT * inside
  // With the eye at (x, y, -d) in the camera's axes, a point p is inside when |p_x - x| <= tanX (p_z + d), and so on.
  const most = { left: -Infinity, right: -Infinity, below: -Infinity, above: -Infinity }
  for (const { shape, position, rotation } of solids) {
    for (const { at, radius } of shape.hull) {
      const p = add(position, [
        rotation[0] * at[0] + rotation[1] * at[1] + rotation[2] * at[2],
        rotation[3] * at[0] + rotation[4] * at[1] + rotation[5] * at[2],
        rotation[6] * at[0] + rotation[7] * at[1] + rotation[8] * at[2],
      ])
      const [x, y, z] = [dot(p, right), dot(p, up), dot(p, forward)]
      const [rx, ry] = [radius * Math.hypot(1, tanX), radius * Math.hypot(1, tanY)]
      most.right = Math.max(most.right, x + rx - tanX * z)
      most.left = Math.max(most.left, -x + rx - tanX * z)
      most.above = Math.max(most.above, y + ry - tanY * z)
      most.below = Math.max(most.below, -y + ry - tanY * z)
    }
  }
  const distance = Math.max((most.right + most.left) / (2 * tanX), (most.above + most.below) / (2 * tanY))
  const eye = add(
    add(scale(right, (most.right - most.left) / 2), scale(up, (most.above - most.below) / 2)),
    scale(forward, -distance),
  )
  return { eye, forward, right: scale(right, HALF_HEIGHT * aspect), up: scale(up, HALF_HEIGHT) }
}
