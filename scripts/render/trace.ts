import { fitCamera, type Camera, type View } from './camera.js'
import { agentColour, byte, linear, ROBOT, THING } from './colours.js'
import { shownSolids, type Scene, type Solid } from './scene.js'
import { dot, normalise, scale, tangents, type Vector } from './vector.js'

/** An sRGB picture, [height, width, 3] bytes. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

const SUN = normalise([-0.45, -0.55, 1.15])
/** Radius of the sun's disc, as a tangent: it softens shadows. */
const SUN_RADIUS = 0.12
const SUN_LIGHT: Vector = [2.05, 1.98, 1.86]
const SKY_LIGHT: Vector = [0.72, 0.79, 0.9]
const GROUND_LIGHT: Vector = [0.34, 0.33, 0.32]

/** The ground's tiles and the background that the ground fades into. */
const DRY = { tiles: ['#e9edf3', '#dbe1ea'].map(linear), high: linear('#f7f9fc'), low: linear('#e6ebf2') }
const WET = { tiles: ['#cfe4ee', '#bdd8e6'].map(linear), high: linear('#f1f8fb'), low: linear('#d8e9f1') }

/** Rays to the sun and to the sky per pixel; at an edge they are shared by the pixel's samples. */
const LIGHT_RAYS = 64
const EDGE_SAMPLES = 16
const SKY = -1
const GROUND = -2

/** A solid made ready for rays. */
interface Target {
  readonly solid: Solid
  readonly index: number
  readonly p: Vector
  readonly m: readonly number[]
  readonly radius: number
  /** Per band. */
  readonly colours: readonly Vector[]
}

/** Point i of a sequence that fills the unit square evenly (M. Roberts 2018, from the plastic number). */
function evenPoint(i: number): [number, number] {
  return [(0.5 + 0.7548776662466927 * i) % 1, (0.5 + 0.5698402909980532 * i) % 1]
}

/** Directions to the sun's disc. */
const SUN_RAYS = Array.from({ length: LIGHT_RAYS }, (_, i): Vector => {
  const [u, v] = evenPoint(i)
  const [a, b] = tangents(SUN)
  const r = SUN_RADIUS * Math.sqrt(u)
  const [x, y] = [r * Math.cos(2 * Math.PI * v), r * Math.sin(2 * Math.PI * v)]
  return normalise([0, 1, 2].map((k) => SUN[k] + x * a[k] + y * b[k]) as unknown as Vector)
})

/** Directions above z, as dense as light from an even sky falls in. */
const SKY_RAYS = Array.from({ length: LIGHT_RAYS }, (_, i): Vector => {
  const [u, v] = evenPoint(i)
  const r = Math.sqrt(u)
  return [r * Math.cos(2 * Math.PI * v), r * Math.sin(2 * Math.PI * v), Math.sqrt(1 - u)]
})

/** Draws one scene. */
class Tracer {
  readonly #scene: Scene
  readonly #camera: Camera
  readonly #targets: readonly Target[]
  /** Where the solids are, and how far they reach from there. */
  readonly #centre: Vector
  readonly #extent: number
  readonly #tile: number
  readonly #ground: typeof DRY
  readonly #normal = new Float64Array(3)
  readonly #direction = new Float64Array(3)
  /** Of the last `find`. */
  #distance = 0
  #target = 0
  #band = 0

  constructor(scene: Scene, camera: Camera) {
    this.#scene = scene
    this.#camera = camera
    this.#ground = scene.liquid ? WET : DRY
    this.#targets = scene.solids.map((solid, index) => ({
      solid,
      index,
      p: solid.position,
      m: solid.rotation,
      radius: solid.shape.radius,
      colours: coloursOf(solid).map(linear),
    }))
    const shown = shownSolids(scene).map(({ position, shape }) => ({ p: position, radius: shape.radius }))
    const low = [0, 1, 2].map((k) => Math.min(...shown.map(({ p, radius }) => p[k] - radius)))
    const high = [0, 1, 2].map((k) => Math.max(...shown.map(({ p, radius }) => p[k] + radius)))
    this.#centre = low.map((l, k) => (l + high[k]) / 2) as unknown as Vector
    this.#extent = Math.hypot(...low.map((l, k) => (high[k] - l) / 2))
    // Tiles are 0.1, 0.2, 0.5, 1, 2 ... m, about a fourth of the robot.
    const decade = 10 ** Math.floor(Math.log10(this.#extent / 2))
    this.#tile = [1, 2, 5, 10].map((k) => k * decade).find((size) => size >= this.#extent / 3)!
  }

  /**
   * Finds what a ray from the eye meets first; sets `distance`, `target` and `band`.
   * @returns a number that is the same for points of the same colour: of a solid's band, a tile's colour, or the sky
   */
  #find(dx: number, dy: number, dz: number): number {
    const [ox, oy, oz] = this.#camera.eye
    let nearest = Infinity
    let found = SKY
    for (const { index, p, m, radius, solid } of this.#targets) {
      const [px, py, pz] = [ox - p[0], oy - p[1], oz - p[2]]
      const b = px * dx + py * dy + pz * dz
      if (b * b < px * px + py * py + pz * pz - radius * radius) continue
      const t = solid.shape.hit(
        m[0] * px + m[3] * py + m[6] * pz,
        m[1] * px + m[4] * py + m[7] * pz,
        m[2] * px + m[5] * py + m[8] * pz,
        m[0] * dx + m[3] * dy + m[6] * dz,
        m[1] * dx + m[4] * dy + m[7] * dz,
        m[2] * dx + m[5] * dy + m[8] * dz,
      )
      if (t < nearest) {
        nearest = t
        found = index
      }
    }
    const { ground } = this.#scene
    if (ground !== undefined && dz < 0) {
      const t = (ground - oz) / dz
      if (t < nearest) {
        nearest = t
        found = GROUND
      }
    }
    this.#distance = nearest
    this.#target = found
    if (found === SKY) return SKY
    if (found === GROUND) {
      const [x, y] = [ox + nearest * dx, oy + nearest * dy]
      this.#band = (Math.floor(x / this.#tile) + Math.floor(y / this.#tile)) & 1
      return GROUND - this.#band
    }
    const { p, m, solid } = this.#targets[found]
    const count = solid.agents.length
    if (count < 2) this.#band = 0
    else {
      const along =
        m[2] * (ox + nearest * dx - p[0]) +
        m[5] * (oy + nearest * dy - p[1]) +
        m[8] * (oz + nearest * dz - p[2])
      const share = (along / solid.shape.halfLength + 1) / 2
      this.#band = Math.max(0, Math.min(count - 1, Math.floor(share * count)))
    }
    return 64 * found + this.#band
  }

  /** Whether a ray of at most `reach` meets one of the solids. */
  #meets(
    among: readonly Target[],
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    reach: number,
  ): number {
    let nearest = reach
    for (const { p, m, radius, solid } of among) {
      const [px, py, pz] = [x - p[0], y - p[1], z - p[2]]
      const b = px * dx + py * dy + pz * dz
      const c = px * px + py * py + pz * pz - radius * radius
      if (c > 0 && (b > 0 || b * b < c)) continue
      const t = solid.shape.hit(
        m[0] * px + m[3] * py + m[6] * pz,
        m[1] * px + m[4] * py + m[7] * pz,
        m[2] * px + m[5] * py + m[8] * pz,
        m[0] * dx + m[3] * dy + m[6] * dz,
        m[1] * dx + m[4] * dy + m[7] * dz,
        m[2] * dx + m[5] * dy + m[8] * dz,
      )
      if (t < nearest) nearest = t
      if (nearest < reach && reach === Infinity) return nearest
    }
    return nearest
  }

  /** The share of the sun's disc seen from a point, by rays `first`, `first + stride`, ... */
  #sunlight(x: number, y: number, z: number, first: number, stride: number): number {
    const among = this.#targets.filter(({ p, radius }) => {
      const [px, py, pz] = [p[0] - x, p[1] - y, p[2] - z]
      const ahead = px * SUN[0] + py * SUN[1] + pz * SUN[2]
      const off = Math.sqrt(Math.max(0, px * px + py * py + pz * pz - ahead * ahead))
      return ahead > -radius && off < 1.1 * (radius + SUN_RADIUS * Math.max(0, ahead))
    })
    if (among.length === 0) return 1
    let seen = 0
    let count = 0
    for (let i = first; i < LIGHT_RAYS; i += stride, count++) {
      const d = SUN_RAYS[i]
      if (this.#meets(among, x, y, z, d[0], d[1], d[2], Infinity) === Infinity) seen++
    }
    return seen / count
  }

  /** How much of the sky is seen from a point: less, the nearer what hides it. */
  #skylight(x: number, y: number, z: number, n: Vector, first: number, stride: number): number {
    const reach = 0.5 * this.#extent
    const { ground } = this.#scene
    const among = this.#targets.filter(({ p, radius }) => {
      const [px, py, pz] = [p[0] - x, p[1] - y, p[2] - z]
      const within = reach + radius
      return px * px + py * py + pz * pz < within * within && px * n[0] + py * n[1] + pz * n[2] > -radius
    })
    const [a, b] = tangents(n)
    let light = 0
    let count = 0
    for (let i = first; i < LIGHT_RAYS; i += stride, count++) {
      const s = SKY_RAYS[i]
      const dx = s[0] * a[0] + s[1] * b[0] + s[2] * n[0]
      const dy = s[0] * a[1] + s[1] * b[1] + s[2] * n[1]
      const dz = s[0] * a[2] + s[1] * b[2] + s[2] * n[2]
      let t = this.#meets(among, x, y, z, dx, dy, dz, reach)
      if (ground !== undefined && dz < 0) t = Math.min(t, (ground - z) / dz)
      const open = Math.min(1, Math.max(0, t / reach))
      light += Math.sqrt(open)
    }
    return light / count
  }

  /** Adds the light that comes back along the ray of the last `find` to `out`. */
  #shade(d: Float64Array, screenY: number, first: number, stride: number, out: Float64Array): void {
    const backdrop = (k: number) => {
      const h = (screenY + 1) / 2
      return this.#ground.low[k] + (this.#ground.high[k] - this.#ground.low[k]) * h
    }
    const target = this.#target
    const distance = this.#distance
    const band = this.#band
    const t = distance
    if (target === SKY) {
      for (let k = 0; k < 3; k++) out[k] += backdrop(k)
      return
    }
    const [ox, oy, oz] = this.#camera.eye
    const [x, y, z] = [ox + t * d[0], oy + t * d[1], oz + t * d[2]]
    if (target === GROUND) {
      const away = Math.hypot(x - this.#centre[0], y - this.#centre[1]) / this.#extent
      const fade = smooth((away - 1.1) / 2.6)
      const colour = this.#ground.tiles[band]
      const sun = fade < 1 ? this.#sunlight(x, y, z, first, stride) : 1
      const sky = fade < 1 ? this.#skylight(x, y, z, [0, 0, 1], first, stride) : 1
      for (let k = 0; k < 3; k++) {
        // Unshadowed ground has its tile's own colour.
        const full = SUN_LIGHT[k] * SUN[2] + SKY_LIGHT[k]
        const light = (SUN_LIGHT[k] * SUN[2] * sun + SKY_LIGHT[k] * sky) / full
        out[k] += (1 - fade) * colour[k] * light + fade * backdrop(k)
      }
      return
    }
    const { p, m, colours, solid } = this.#targets[target]
    const normal = this.#normal
    const [px, py, pz] = [x - p[0], y - p[1], z - p[2]]
    solid.shape.normal(
      m[0] * px + m[3] * py + m[6] * pz,
      m[1] * px + m[4] * py + m[7] * pz,
      m[2] * px + m[5] * py + m[8] * pz,
      normal,
    )
    let n: Vector = [
      m[0] * normal[0] + m[1] * normal[1] + m[2] * normal[2],
      m[3] * normal[0] + m[4] * normal[1] + m[5] * normal[2],
      m[6] * normal[0] + m[7] * normal[1] + m[8] * normal[2],
    ]
    const facing = n[0] * d[0] + n[1] * d[1] + n[2] * d[2]
    if (facing > 0) n = scale(n, -1)
    const off = 1e-4 * this.#extent
    const [sx, sy, sz] = [x + off * n[0], y + off * n[1], z + off * n[2]]
    const cosine = Math.max(0, dot(n, SUN))
    const sun = cosine > 0 ? this.#sunlight(sx, sy, sz, first, stride) : 0
    const sky = this.#skylight(sx, sy, sz, n, first, stride)
    const half = normalise([SUN[0] - d[0], SUN[1] - d[1], SUN[2] - d[2]])
    const gloss = sun * cosine * 0.5 * Math.max(0, dot(n, half)) ** 48
    const rim = 0.25 * (1 - Math.min(1, Math.abs(facing))) ** 4 * sky
    const above = (n[2] + 1) / 2
    for (let k = 0; k < 3; k++) {
      const ambient = SKY_LIGHT[k] * above + GROUND_LIGHT[k] * (1 - above)
      const diffuse = colours[band][k] * (0.5 * SUN_LIGHT[k] * sun * cosine + 0.78 * ambient * sky)
      out[k] += soften(diffuse + gloss + rim)
    }
  }

  /** The ray through a point of the picture, into `direction`. */
  #aim(screenX: number, screenY: number): void {
    const { forward, right, up } = this.#camera
    const x = forward[0] + screenX * right[0] + screenY * up[0]
    const y = forward[1] + screenX * right[1] + screenY * up[1]
    const z = forward[2] + screenX * right[2] + screenY * up[2]
    const s = 1 / Math.sqrt(x * x + y * y + z * z)
    this.#direction[0] = x * s
    this.#direction[1] = y * s
    this.#direction[2] = z * s
  }

  draw(width: number, height: number): Picture {
    const toX = (x: number) => (2 * x) / width - 1
    const toY = (y: number) => 1 - (2 * y) / height
    const d = this.#direction
    const look = (x: number, y: number) => {
      this.#aim(toX(x), toY(y))
      return this.#find(d[0], d[1], d[2])
    }
    const corners = Int32Array.from({ length: (width + 1) * (height + 1) }, (_, i) =>
      look(i % (width + 1), Math.floor(i / (width + 1))),
    )
    const data = new Uint8Array(width * height * 3)
    const light = new Float64Array(3)
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = y * (width + 1) + x
        const seen = look(x + 0.5, y + 0.5)
        const plain = [at, at + 1, at + width + 1, at + width + 2].every((i) => corners[i] === seen)
        light.fill(0)
        if (plain) this.#shade(d, toY(y + 0.5), 0, 1, light)
        else {
          for (let i = 0; i < EDGE_SAMPLES; i++) {
            const [u, v] = evenPoint(i)
            look(x + u, y + v)
            this.#shade(d, toY(y + v), i, EDGE_SAMPLES, light)
          }
          for (let k = 0; k < 3; k++) light[k] /= EDGE_SAMPLES
        }
        for (let k = 0; k < 3; k++) data[3 * (y * width + x) + k] = byte(light[k])
      }
    }
    return { width, height, data }
  }
}

function coloursOf({ agents, role }: Solid): string[] {
  return agents.length > 0 ? agents.map(agentColour) : [role === 'thing' ? THING : ROBOT]
}

/** 0 up to 0, 1 from 1 on, smooth between. */
function smooth(x: number): number {
  const t = Math.max(0, Math.min(1, x))
  return t * t * (3 - 2 * t)
}

/** Keeps highlights below white. */
function soften(x: number): number {
  return x < 0.7 ? x : 0.7 + 0.3 * (1 - Math.exp((0.7 - x) / 0.3))
}

/** Draws a scene: what agents drive in their colours, the rest grey. The same scene gives the same bytes. */
export function draw(scene: Scene, view: View, width: number, height: number): Picture {
  return new Tracer(scene, fitCamera(shownSolids(scene), view, width / height)).draw(width, height)
}
