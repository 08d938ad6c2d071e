import type { Scene, Solid } from '../envs/scene.js'
import { agentColour, linear, ROBOT, THING } from './colours.js'
import { bodyOf, type Body } from './shapes.js'
import type { Vector } from './vector.js'

/** Numbers of a solid: its position, its rotation, the radius of the sphere around it. */
const STRIDE = 13

/** The solids of a scene, made ready for rays. Directions are of length 1. */
export class Targets {
  readonly count: number
  readonly bodies: readonly Body[]
  readonly #numbers: Float64Array
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
   * Solids that reach into a cone.
   * @param slope tangent of half the cone's angle
   * @param reach distance from the apex beyond which nothing counts
   * @param except a solid that does not count; -1 for none
   * @returns how many were written to `out`
   */
  inCone(
    x: number,
    y: number,
    z: number,
    axis: Vector,
    slope: number,
    reach: number,
    except: number,
    out: Int32Array,
  ): number {
    const n = this.#numbers
    const widen = Math.sqrt(1 + slope * slope)
    let found = 0
    for (let i = 0; i < this.count; i++) {
      if (i === except) continue
      const at = STRIDE * i
      const px = n[at] - x
      const py = n[at + 1] - y
      const pz = n[at + 2] - z
      const radius = n[at + 12]
      const square = px * px + py * py + pz * pz
      if (square > (reach + radius) * (reach + radius)) continue
      const ahead = px * axis[0] + py * axis[1] + pz * axis[2]
      if (ahead < -radius * widen) continue
      const off = radius * widen + slope * Math.max(0, ahead)
      if (square - ahead * ahead < off * off || square < radius * radius) out[found++] = i
    }
    return found
  }

  /**
   * Solids that a half-space holds parts of, within a distance.
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
    const n = this.#numbers
    let found = 0
    for (let i = 0; i < this.count; i++) {
      if (i === except) continue
      const at = STRIDE * i
      const px = n[at] - x
      const py = n[at + 1] - y
      const pz = n[at + 2] - z
      const within = reach + n[at + 12]
      if (px * px + py * py + pz * pz >= within * within) continue
      if (px * normal[0] + py * normal[1] + pz * normal[2] > -n[at + 12]) out[found++] = i
    }
    return found
  }
}

function coloursOf({ agents, role }: Solid): string[] {
  return agents.length > 0 ? agents.map(agentColour) : [role === 'thing' ? THING : ROBOT]
}
