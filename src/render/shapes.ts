import type { Shape } from '../envs/scene.js'
import { cosine, sine } from '../envs/trigonometry.js'
import { NEAREST, setUnit, type Ball, type Body } from './body.js'
import { Mesh } from './mesh.js'
import { PI, type Vector } from './vector.js'

/** Most balls that cover a capsule. */
const MOST_COVERS = 10

/** The first of two roots of t^2 + 2 b t + c that lies ahead, or Infinity. */
function firstRoot(b: number, c: number): number {
  const discriminant = b * b - c
  if (discriminant < 0) return Infinity
  const root = Math.sqrt(discriminant)
  if (-b - root > NEAREST) return -b - root
  return -b + root > NEAREST ? -b + root : Infinity
}

/** A sphere, or with `half` > 0 a capsule: all points within `radius` of a segment. */
class Capsule implements Body {
  readonly radius: number
  readonly halfLength: number
  readonly hull: Body['hull']
  readonly cover: readonly Ball[]
  readonly convex = true
  readonly thickness: number
  readonly half: number

  constructor(radius: number, half: number) {
    this.thickness = radius
    this.half = half
    this.radius = this.halfLength = radius + half
    this.hull = [-half, half].map((z) => ({ at: [0, 0, z], radius }))
    const count = Math.max(1, Math.min(MOST_COVERS, Math.ceil(half / radius)))
    const part = half / count
    this.cover = Array.from({ length: count }, (_, i) => ({
      at: [0, 0, (2 * i + 1) * part - half],
      radius: part + radius,
    }))
  }

  hit(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const thickness = this.thickness
    const half = this.half
    const across = dx * dx + dy * dy
    let end = dz > 0 ? -half : half
    if (across > 1e-12) {
      const b = (ox * dx + oy * dy) / across
      const side = b * b - (ox * ox + oy * oy - thickness * thickness) / across
      if (side < 0) return Infinity
      const t = -b - Math.sqrt(side)
      const z = oz + t * dz
      if (z >= -half && z <= half) return t > NEAREST ? t : Infinity
      end = z < 0 ? -half : half
    }
    const fromEnd = oz - end
    const b = ox * dx + oy * dy + fromEnd * dz
    const t = firstRoot(b, ox * ox + oy * oy + fromEnd * fromEnd - thickness * thickness)
    return t
  }

  normal(x: number, y: number, z: number, out: Float64Array): void {
    setUnit(out, x, y, z - Math.max(-this.half, Math.min(this.half, z)))
  }
}

class Cylinder implements Body {
  readonly radius: number
  readonly halfLength: number
  readonly hull: Body['hull']
  readonly cover: readonly Ball[]
  readonly convex = true
  readonly thickness: number

  constructor(radius: number, half: number) {
    this.thickness = radius
    this.halfLength = half
    this.radius = Math.sqrt(radius * radius + half * half)
    this.cover = [{ at: [0, 0, 0], radius: this.radius }]
    // The rim: eight points, pushed out so that the octagon through them holds the circle.
    const rim = radius / cosine(PI / 8)
    this.hull = [-half, half].flatMap((z) =>
      Array.from({ length: 8 }, (_, i) => {
        const angle = (i * PI) / 4
        return { at: [rim * cosine(angle), rim * sine(angle), z] as const, radius: 0 }
      }),
    )
  }

  hit(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const { halfLength } = this
    const thickness = this.thickness
    let nearest = Infinity
    const across = dx * dx + dy * dy
    if (across > 1e-12) {
      const b = (ox * dx + oy * dy) / across
      const t = firstRoot(b, (ox * ox + oy * oy - thickness * thickness) / across)
      if (Math.abs(oz + t * dz) <= halfLength) nearest = t
    }
    if (Math.abs(dz) > 1e-12) {
      const t = ((dz > 0 ? -halfLength : halfLength) - oz) / dz
      const x = ox + t * dx
      const y = oy + t * dy
      if (t > NEAREST && t < nearest && x * x + y * y <= thickness * thickness) nearest = t
    }
    return nearest
  }

  normal(x: number, y: number, z: number, out: Float64Array): void {
    const side = Math.sqrt(x * x + y * y) / this.thickness
    if (Math.abs(z) / this.halfLength > side) setUnit(out, 0, 0, z)
    else setUnit(out, x, y, 0)
  }
}

class Ellipsoid implements Body {
  readonly radius: number
  readonly halfLength: number
  readonly hull: Body['hull']
  readonly cover: readonly Ball[]
  readonly convex = true
  readonly axes: Vector

  constructor(axes: Vector) {
    this.axes = axes
    this.radius = Math.max(...axes)
    this.cover = [{ at: [0, 0, 0], radius: this.radius }]
    this.halfLength = axes[2]
    this.hull = corners(axes)
  }

  hit(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const [a, b, c] = this.axes
    const px = ox / a
    const py = oy / b
    const pz = oz / c
    const vx = dx / a
    const vy = dy / b
    const vz = dz / c
    const square = vx * vx + vy * vy + vz * vz
    return firstRoot((px * vx + py * vy + pz * vz) / square, (px * px + py * py + pz * pz - 1) / square)
  }

  normal(x: number, y: number, z: number, out: Float64Array): void {
    const [a, b, c] = this.axes
    setUnit(out, x / (a * a), y / (b * b), z / (c * c))
  }
}

class Box implements Body {
  readonly radius: number
  readonly halfLength: number
  readonly hull: Body['hull']
  readonly cover: readonly Ball[]
  readonly convex = true
  readonly half: Vector

  constructor(half: Vector) {
    this.half = half
    this.halfLength = half[2]
    this.radius = Math.sqrt(half[0] * half[0] + half[1] * half[1] + half[2] * half[2])
    this.cover = [{ at: [0, 0, 0], radius: this.radius }]
    this.hull = corners(half)
  }

  hit(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const [hx, hy, hz] = this.half
    // A direction of exactly 0 divides to an infinity of the right sign, or to NaN on the face itself: a miss.
    const [ax, bx] = [(-hx - ox) / dx, (hx - ox) / dx]
    const [ay, by] = [(-hy - oy) / dy, (hy - oy) / dy]
    const [az, bz] = [(-hz - oz) / dz, (hz - oz) / dz]
    const enter = Math.max(Math.min(ax, bx), Math.min(ay, by), Math.min(az, bz))
    const leave = Math.min(Math.max(ax, bx), Math.max(ay, by), Math.max(az, bz))
    return enter <= leave && enter > NEAREST ? enter : Infinity
  }

  normal(x: number, y: number, z: number, out: Float64Array): void {
    const [u, v, w] = [x / this.half[0], y / this.half[1], z / this.half[2]]
    const [au, av, aw] = [Math.abs(u), Math.abs(v), Math.abs(w)]
    if (au >= av && au >= aw) setUnit(out, u, 0, 0)
    else if (av >= aw) setUnit(out, 0, v, 0)
    else setUnit(out, 0, 0, w)
  }
}

function corners([x, y, z]: Vector): Body['hull'] {
  return [-x, x].flatMap((a) =>
    [-y, y].flatMap((b) => [-z, z].map((c) => ({ at: [a, b, c] as const, radius: 0 }))),
  )
}

const bodies = new WeakMap<Shape, Body>()

/** The shape as rays meet it, made once. */
export function bodyOf(shape: Shape): Body {
  let body = bodies.get(shape)
  if (body === undefined) bodies.set(shape, (body = makeBody(shape)))
  return body
}

function makeBody(shape: Shape): Body {
  switch (shape.kind) {
    case 'capsule':
      return new Capsule(shape.radius, shape.half)
    case 'cylinder':
      return new Cylinder(shape.radius, shape.half)
    case 'ellipsoid':
      return new Ellipsoid(shape.axes)
    case 'box':
      return new Box(shape.half)
    case 'mesh':
      return new Mesh(shape.vertices, shape.faces)
  }
}
