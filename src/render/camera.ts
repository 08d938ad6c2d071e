import type { Scene, Solid, View } from '../envs/scene.js'
import { cosine, sine } from '../envs/trigonometry.js'
import type { Ball } from './body.js'
import { bodyOf } from './shapes.js'
import { add, cross, dot, PI, scale, type Vector } from './vector.js'

/** A pinhole: a point of the picture, from -1 to 1, is seen along forward + x right + y up. */
export interface Camera {
  readonly eye: Vector
  readonly forward: Vector
  readonly right: Vector
  readonly up: Vector
}

/** Half the vertical angle of view, 14 degrees, as a tangent. */
const HALF_HEIGHT = 0.24932800284318068
const MARGIN = 0.12

/** Solids that the camera shows: those that are not part of the world or, without any, all. */
export function shownSolids({ solids }: Scene): readonly Solid[] {
  const moving = solids.filter(({ role }) => role !== 'world')
  return moving.length > 0 ? moving : solids
}

/** Balls that have the same extent as the solids in every direction, or a little more. */
export function hullOf(solids: readonly Solid[]): Ball[] {
  return solids.flatMap(({ shape, position, rotation: m }) =>
    bodyOf(shape).hull.map(({ at: [x, y, z], radius }) => ({
      at: add(position, [
        m[0] * x + m[1] * y + m[2] * z,
        m[3] * x + m[4] * y + m[5] * z,
        m[6] * x + m[7] * y + m[8] * z,
      ]),
      radius,
    })),
  )
}

/** Height of the lowest visible point. */
export function lowestPoint(scene: Scene): number {
  return hullOf(shownSolids(scene)).reduce(
    (least, { at, radius }) => Math.min(least, at[2] - radius),
    Infinity,
  )
}

/** The camera from which all balls just fit into the picture. @param aspect width over height */
export function fitCamera(balls: readonly Ball[], view: View, aspect: number): Camera {
  const azimuth = (view.azimuth * PI) / 180
  const elevation = (view.elevation * PI) / 180
  const flat = cosine(elevation)
  const forward: Vector = [flat * cosine(azimuth), flat * sine(azimuth), -sine(elevation)]
  // Level, and defined from straight above as well.
  const right: Vector = [sine(azimuth), -cosine(azimuth), 0]
  const up = cross(right, forward)
  const inside = 1 - 2 * (view.margin ?? MARGIN)
  const tanX = HALF_HEIGHT * aspect * inside
  const tanY = HALF_HEIGHT * inside
  const widen = (tan: number) => Math.sqrt(1 + tan * tan)
  // With the eye at (x, y, -d) in the camera's axes, a point p is inside when |p_x - x| <= tanX (p_z + d), and so on.
  const most = { left: -Infinity, right: -Infinity, below: -Infinity, above: -Infinity }
  for (const { at, radius } of balls) {
    const [x, y, z] = [dot(at, right), dot(at, up), dot(at, forward)]
    const [rx, ry] = [radius * widen(tanX), radius * widen(tanY)]
    most.right = Math.max(most.right, x + rx - tanX * z)
    most.left = Math.max(most.left, -x + rx - tanX * z)
    most.above = Math.max(most.above, y + ry - tanY * z)
    most.below = Math.max(most.below, -y + ry - tanY * z)
  }
  const distance = Math.max((most.right + most.left) / (2 * tanX), (most.above + most.below) / (2 * tanY))
  const eye = add(
    add(scale(right, (most.right - most.left) / 2), scale(up, (most.above - most.below) / 2)),
    scale(forward, -distance),
  )
  return { eye, forward, right: scale(right, HALF_HEIGHT * aspect), up: scale(up, HALF_HEIGHT) }
}

/** The part of the world that a picture is about: the ground fades into the distance around it. */
export interface Stage {
  readonly centre: Vector
  /** Distance from the centre within which everything shown is. */
  readonly extent: number
}

/** Centre and half diagonal of the smallest axis-aligned box around the visible solids of a scene. */
export function stageOf(scene: Scene): Stage {
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (const { position, shape } of shownSolids(scene)) {
    const { radius } = bodyOf(shape)
    for (let k = 0; k < 3; k++) {
      low[k] = Math.min(low[k], position[k] - radius)
      high[k] = Math.max(high[k], position[k] + radius)
    }
  }
  const half = low.map((l, k) => (high[k] - l) / 2)
  const centre: Vector = [low[0] + half[0], low[1] + half[1], low[2] + half[2]]
  return { centre, extent: Math.sqrt(half[0] * half[0] + half[1] * half[1] + half[2] * half[2]) }
}

/** Camera that follows its target. */
export function moveCamera(camera: Camera, by: Vector): Camera {
  return { ...camera, eye: add(camera.eye, by) }
}
