import type { Shape } from '../envs/scene.js'
import { cosine, sine } from '../envs/trigonometry.js'
import { length, type Vector } from './vector.js'

/** A ray closer than this to its origin hits nothing: it would hit the surface that it leaves. */
const NEAREST = 1e-6

/** Most balls that cover a capsule. */
const MOST_COVERS = 10

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

/** The first of two roots of t^2 + 2 b t + c that lies ahead, or Infinity. */
function firstRoot(b: number, c: number): number {
  const discriminant = b * b - c
  if (discriminant < 0) return Infinity
  const root = Math.sqrt(discriminant)
  if (-b - root > NEAREST) return -b - root
  return -b + root > NEAREST ? -b + root : Infinity
}

function setUnit(out: Float64Array, x: number, y: number, z: number): void {
  const s = 1 / Math.sqrt(x * x + y * y + z * z)
  out[0] = x * s
  out[1] = y * s
  out[2] = z * s
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
    const rim = radius / cosine(Math.PI / 8)
    this.hull = [-half, half].flatMap((z) =>
      Array.from({ length: 8 }, (_, i) => {
        const angle = (i * Math.PI) / 4
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

/** Triangles, found through a tree of boxes. */
class Mesh implements Body {
  readonly radius: number
  readonly halfLength: number
  readonly hull: Body['hull']
  readonly cover: readonly Ball[]
  readonly convex = false
  readonly vertices: Float64Array
  /** Three vertices each, in the order of the tree. */
  readonly faces: Int32Array
  /** Per node: its box as low x, y, z, high x, y, z. */
  readonly boxes: number[] = []
  /** Per node: [first face, last face + 1] of a leaf, or [-1, right child]; the left child is the next node. */
  readonly links: number[] = []
  lastHit = 0

  /**
   * @param vertices [3 each]
   * @param faces positions of three vertices each
   */
  constructor(vertices: ArrayLike<number>, faces: ArrayLike<number>) {
    this.vertices = Float64Array.from(vertices)
    this.faces = Int32Array.from(faces)
    const points = Array.from({ length: vertices.length / 3 }, (_, i): Vector => this.#vertex(i))
    this.radius = Math.max(...points.map(length))
    this.cover = [{ at: [0, 0, 0], radius: this.radius }]
    this.halfLength = Math.max(...points.map((p) => Math.abs(p[2])))
    this.hull = points.map((at) => ({ at, radius: 0 }))
    this.#build(0, this.faces.length / 3)
  }

  #vertex(i: number): Vector {
    return [this.vertices[3 * i], this.vertices[3 * i + 1], this.vertices[3 * i + 2]]
  }

  /** Splits the faces `from` to `to` at the median of their centres along the box's longest side. */
  #build(from: number, to: number): void {
    const node = this.links.length / 2
    const ofFace = (f: number) => [0, 1, 2].map((k) => this.#vertex(this.faces[3 * f + k]))
    const all = Array.from({ length: to - from }, (_, i) => ofFace(from + i)).flat()
    const low = [0, 1, 2].map((axis) => all.reduce((least, p) => Math.min(least, p[axis]), Infinity))
    const high = [0, 1, 2].map((axis) => all.reduce((most, p) => Math.max(most, p[axis]), -Infinity))
    this.boxes.push(...low, ...high)
    this.links.push(from, to)
    if (to - from <= 4) return
    const sides = low.map((l, axis) => high[axis] - l)
    const axis = sides.indexOf(Math.max(...sides))
    const order = Array.from({ length: to - from }, (_, i) => {
      const centre = ofFace(from + i).reduce((sum, p) => sum + p[axis], 0)
      return { centre, face: Array.from(this.faces.subarray(3 * (from + i), 3 * (from + i) + 3)) }
    }).sort((a, b) => a.centre - b.centre)
    order.forEach(({ face }, i) => this.faces.set(face, 3 * (from + i)))
    const middle = (from + to) >> 1
    this.#build(from, middle)
    this.links[2 * node] = -1
    this.links[2 * node + 1] = this.links.length / 2
    this.#build(middle, to)
  }

  hit(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    let nearest = Infinity
    const open = [0]
    while (open.length > 0) {
      const node = open.pop()!
      if (!this.#touches(node, ox, oy, oz, dx, dy, dz, nearest)) continue
      const [first, second] = [this.links[2 * node], this.links[2 * node + 1]]
      if (first < 0) {
        open.push(node + 1, second)
        continue
      }
      for (let face = first; face < second; face++) {
        const t = this.#hitFace(face, ox, oy, oz, dx, dy, dz)
        if (t < nearest) {
          nearest = t
          this.lastHit = face
        }
      }
    }
    return nearest
  }

  #touches(
    node: number,
    ox: number,
    oy: number,
    oz: number,
    dx: number,
    dy: number,
    dz: number,
    within: number,
  ): boolean {
    const boxes = this.boxes
    const at = 6 * node
    const [ax, bx] = [(boxes[at] - ox) / dx, (boxes[at + 3] - ox) / dx]
    const [ay, by] = [(boxes[at + 1] - oy) / dy, (boxes[at + 4] - oy) / dy]
    const [az, bz] = [(boxes[at + 2] - oz) / dz, (boxes[at + 5] - oz) / dz]
    const enter = Math.max(Math.min(ax, bx), Math.min(ay, by), Math.min(az, bz))
    const leave = Math.min(Math.max(ax, bx), Math.max(ay, by), Math.max(az, bz))
    return !(enter > leave) && !(leave < 0) && !(enter > within)
  }

  /** T. Moeller and B. Trumbore (1997). */
  #hitFace(face: number, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const v = this.vertices
    const [a, b, c] = [3 * this.faces[3 * face], 3 * this.faces[3 * face + 1], 3 * this.faces[3 * face + 2]]
    const [ex, ey, ez] = [v[b] - v[a], v[b + 1] - v[a + 1], v[b + 2] - v[a + 2]]
    const [fx, fy, fz] = [v[c] - v[a], v[c + 1] - v[a + 1], v[c + 2] - v[a + 2]]
    const [px, py, pz] = [dy * fz - dz * fy, dz * fx - dx * fz, dx * fy - dy * fx]
    const determinant = ex * px + ey * py + ez * pz
    if (Math.abs(determinant) < 1e-18) return Infinity
    const [sx, sy, sz] = [ox - v[a], oy - v[a + 1], oz - v[a + 2]]
    const u = (sx * px + sy * py + sz * pz) / determinant
    if (u < 0 || u > 1) return Infinity
    const [qx, qy, qz] = [sy * ez - sz * ey, sz * ex - sx * ez, sx * ey - sy * ex]
    const w = (dx * qx + dy * qy + dz * qz) / determinant
    if (w < 0 || u + w > 1) return Infinity
    const t = (fx * qx + fy * qy + fz * qz) / determinant
    return t > NEAREST ? t : Infinity
  }

  normal(_x: number, _y: number, _z: number, out: Float64Array): void {
    const v = this.vertices
    const at = 3 * this.lastHit
    const [a, b, c] = [3 * this.faces[at], 3 * this.faces[at + 1], 3 * this.faces[at + 2]]
    const [ex, ey, ez] = [v[b] - v[a], v[b + 1] - v[a + 1], v[b + 2] - v[a + 2]]
    const [fx, fy, fz] = [v[c] - v[a], v[c + 1] - v[a + 1], v[c + 2] - v[a + 2]]
    setUnit(out, ey * fz - ez * fy, ez * fx - ex * fz, ex * fy - ey * fx)
  }
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
