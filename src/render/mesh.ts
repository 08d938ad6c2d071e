import { NEAREST, setUnit, type Ball, type Body } from './body.js'
import { cross, dot, length, subtract, type Vector } from './vector.js'

/** Distance from a mesh's face within which a point is on it, over the mesh's radius. */
const ON_SURFACE = 1e-6

/** Triangles, found through a tree of boxes. */
export class Mesh implements Body {
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
        if (t < nearest) nearest = t
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

  normal(x: number, y: number, z: number, out: Float64Array): void {
    const face = this.#faceAt(x, y, z)
    const v = this.vertices
    const [a, b, c] = [3 * this.faces[3 * face], 3 * this.faces[3 * face + 1], 3 * this.faces[3 * face + 2]]
    const [ex, ey, ez] = [v[b] - v[a], v[b + 1] - v[a + 1], v[b + 2] - v[a + 2]]
    const [fx, fy, fz] = [v[c] - v[a], v[c + 1] - v[a + 1], v[c + 2] - v[a + 2]]
    setUnit(out, ey * fz - ez * fy, ez * fx - ex * fz, ex * fy - ey * fx)
  }

  /** The face that a point of the surface is on. */
  #faceAt(x: number, y: number, z: number): number {
    const margin = ON_SURFACE * this.radius
    let best = 0
    let least = Infinity
    const open = [0]
    while (open.length > 0) {
      const node = open.pop()!
      const box = 6 * node
      const inside = [x, y, z].every(
        (p, k) => p >= this.boxes[box + k] - margin && p <= this.boxes[box + 3 + k] + margin,
      )
      if (!inside) continue
      const [first, second] = [this.links[2 * node], this.links[2 * node + 1]]
      if (first < 0) {
        open.push(node + 1, second)
        continue
      }
      for (let face = first; face < second; face++) {
        const off = this.#offFace(face, x, y, z)
        if (off < least) {
          best = face
          least = off
        }
      }
    }
    return best
  }

  /** Distance of a point from a face: from its plane, or sideways beyond its edges. */
  #offFace(face: number, x: number, y: number, z: number): number {
    const [a, b, c] = [0, 1, 2].map((k) => this.#vertex(this.faces[3 * face + k]))
    const n = cross(subtract(b, a), subtract(c, a))
    const area = length(n)
    if (area === 0) return Infinity
    const p: Vector = [x, y, z]
    const beyond = [
      [a, b],
      [b, c],
      [c, a],
    ].map(([from, to]) => {
      const edge = subtract(to, from)
      return -dot(cross(edge, subtract(p, from)), n) / (area * length(edge))
    })
    return Math.max(Math.abs(dot(subtract(p, a), n)) / area, ...beyond)
  }
}
