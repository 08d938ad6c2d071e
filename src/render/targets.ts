import type { Scene, Solid } from '../envs/scene.js'
import { agentColour, linear, ROBOT, THING } from './colours.js'
import type { Body } from './body.js'
import { bodyOf } from './shapes.js'
import type { Vector } from './vector.js'

/** Numbers of a solid: its position, its rotation, the radius of the sphere around it. */
const STRIDE = 13

/** The solids of a scene, made ready for rays. Directions are of length 1. */
export class Targets {
  readonly count: number
  readonly bodies: readonly Body[]
  readonly #numbers: Float64Array
  /** Centre and radius of every ball that covers a solid, and where those of each solid begin. */
  readonly #covers: Float64Array
  readonly #firstCover: Int32Array
  /** Colours of each solid's bands. */
  readonly colours: readonly (readonly Vector[])[]
  readonly #normal = new Float64Array(3)

  constructor({ solids }: Scene) {
    this.count = solids.length
    this.bodies = solids.map(({ shape }) => bodyOf(shape))
    this.colours = solids.map((solid) => coloursOf(solid).map(linear))
    this.#numbers = new Float64Array(STRIDE * solids.length)
    solids.forEach(({ position, rotation }, i) => {
      this.#numbers.set(position, STRIDE * i)
      this.#numbers.set(rotation, STRIDE * i + 3)
      this.#numbers[STRIDE * i + 12] = this.bodies[i].radius
    })
    this.#firstCover = new Int32Array(solids.length + 1)
    const covers = solids.map(({ position, rotation: m }, i) =>
      this.bodies[i].cover.flatMap(({ at: [x, y, z], radius }) => [
        position[0] + m[0] * x + m[1] * y + m[2] * z,
        position[1] + m[3] * x + m[4] * y + m[5] * z,
        position[2] + m[6] * x + m[7] * y + m[8] * z,
        radius,
      ]),
    )
    covers.forEach((own, i) => (this.#firstCover[i + 1] = this.#firstCover[i] + own.length))
    this.#covers = Float64Array.from(covers.flat())
  }

  /** Distance along a ray to a solid, or Infinity. */
  hit(i: number, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const n = this.#numbers
    const at = STRIDE * i
    const px = ox - n[at]
    const py = oy - n[at + 1]
    const pz = oz - n[at + 2]
    const radius = n[at + 12]
    const b = px * dx + py * dy + pz * dz
    const c = px * px + py * py + pz * pz - radius * radius
    if (c > 0 && (b > 0 || b * b < c)) return Infinity
    return this.bodies[i].hit(
      n[at + 3] * px + n[at + 6] * py + n[at + 9] * pz,
      n[at + 4] * px + n[at + 7] * py + n[at + 10] * pz,
      n[at + 5] * px + n[at + 8] * py + n[at + 11] * pz,
      n[at + 3] * dx + n[at + 6] * dy + n[at + 9] * dz,
      n[at + 4] * dx + n[at + 7] * dy + n[at + 10] * dz,
      n[at + 5] * dx + n[at + 8] * dy + n[at + 11] * dz,
    )
  }

  /** Normal of a solid's surface at a point where a ray has just hit it. */
  normal(i: number, x: number, y: number, z: number, out: Float64Array): void {
    const n = this.#numbers
    const at = STRIDE * i
    const own = this.#normal
    const px = x - n[at]
    const py = y - n[at + 1]
    const pz = z - n[at + 2]
    this.bodies[i].normal(
      n[at + 3] * px + n[at + 6] * py + n[at + 9] * pz,
      n[at + 4] * px + n[at + 7] * py + n[at + 10] * pz,
      n[at + 5] * px + n[at + 8] * py + n[at + 11] * pz,
      own,
    )
    for (let k = 0; k < 3; k++)
      out[k] = n[at + 3 + 3 * k] * own[0] + n[at + 4 + 3 * k] * own[1] + n[at + 5 + 3 * k] * own[2]
  }

  /** Band of a solid's colours that a point of its surface is in. */
  band(i: number, x: number, y: number, z: number): number {
    const bands = this.colours[i].length
    if (bands < 2) return 0
    const n = this.#numbers
    const at = STRIDE * i
    const along = n[at + 5] * (x - n[at]) + n[at + 8] * (y - n[at + 1]) + n[at + 11] * (z - n[at + 2])
    const share = (along / this.bodies[i].halfLength + 1) / 2
    return Math.max(0, Math.min(bands - 1, Math.floor(share * bands)))
  }

  /**
   * Solids that may reach into a cone.
   * @param slope tangent of half the cone's angle
   * @param except a solid that does not count; -1 for none
   * @returns how many were written to `out`
   */
  inCone(
    x: number,
    y: number,
    z: number,
    axis: Vector,
    slope: number,
    except: number,
    out: Int32Array,
  ): number {
    const covers = this.#covers
    const widen = Math.sqrt(1 + slope * slope)
    const [ax, ay, az] = axis
    let found = 0
    for (let i = 0; i < this.count; i++) {
      if (i === except) continue
      const end = this.#firstCover[i + 1]
      for (let at = this.#firstCover[i]; at < end; at += 4) {
        const px = covers[at] - x
        const py = covers[at + 1] - y
        const pz = covers[at + 2] - z
        const radius = covers[at + 3] * widen
        const ahead = px * ax + py * ay + pz * az
        if (ahead < -radius) continue
        const off = ahead > 0 ? radius + slope * ahead : radius
        if (px * px + py * py + pz * pz - ahead * ahead >= off * off) continue
        out[found++] = i
        break
      }
    }
    return found
  }

  /**
   * Solids of which a half-space may hold parts, within a distance.
   * @param except a solid that does not count; -1 for none
   * @returns how many were written to `out`
   */
  above(
    x: number,
    y: number,
    z: number,
    normal: Float64Array,
    reach: number,
    except: number,
    out: Int32Array,
  ): number {
    const covers = this.#covers
    const nx = normal[0]
    const ny = normal[1]
    const nz = normal[2]
    let found = 0
    for (let i = 0; i < this.count; i++) {
      if (i === except) continue
      const end = this.#firstCover[i + 1]
      for (let at = this.#firstCover[i]; at < end; at += 4) {
        const px = covers[at] - x
        const py = covers[at + 1] - y
        const pz = covers[at + 2] - z
        const radius = covers[at + 3]
        const within = reach + radius
        if (px * px + py * py + pz * pz >= within * within) continue
        if (px * nx + py * ny + pz * nz <= -radius) continue
        out[found++] = i
        break
      }
    }
    return found
  }
}

function coloursOf({ agents, role }: Solid): string[] {
  return agents.length > 0 ? agents.map(agentColour) : [role === 'thing' ? THING : ROBOT]
}
