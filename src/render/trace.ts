import { exponential } from '../envs/exponential.js'
import type { Scene, View } from '../envs/scene.js'
import { fitCamera, hullOf, shownSolids, stageOf, type Camera, type Stage } from './camera.js'
import { byte, linear } from './colours.js'
import { evenPoint, GROUND_LIGHT, halfway, Light, SKY_LIGHT, SUN, SUN_LIGHT } from './light.js'
import { Targets } from './targets.js'
import type { Vector } from './vector.js'

/** An sRGB picture, [height, width, 3] bytes. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array<ArrayBuffer>
}

/** The ground's tiles and the background that the ground fades into. */
const DRY = { tiles: ['#e9edf3', '#dbe1ea'].map(linear), high: linear('#f7f9fc'), low: linear('#e6ebf2') }
const WET = { tiles: ['#cfe4ee', '#bdd8e6'].map(linear), high: linear('#f1f8fb'), low: linear('#d8e9f1') }

/** Points of a pixel that are looked at where more than one colour is in it. */
const EDGE_SAMPLES = 16
/** Share of the light's rays that such a point has. */
const EDGE_STRIDE = 4
/** Pixels along a side of the squares whose rays are compared with the same solids. */
const TILE = 8
/** Pixels along a side of the squares in which light is interpolated, where it changes evenly. */
const CELL = 4
/** Largest change of light in such a square, and largest difference in its middle from the mean of its corners. */
const STEEP = 0.3
const UNEVEN = 0.02

/** Surfaces; those of solids follow. */
const SKY = 0
const GROUND = 1
const SOLIDS = 2
/** Bands of a surface, of a colour each. */
const BANDS = 64

/** Draws scenes of one size. */
export class Tracer {
  readonly #width: number
  readonly #height: number
  /** [height + 1, width + 1] and [height, width]: surface and band that are seen there. */
  readonly #corners: Int32Array
  readonly #centres: Int32Array
  /** [height, width]: distance from the eye, and light of the sun and of the sky. */
  readonly #distances: Float64Array
  readonly #sun: Float32Array
  readonly #sky: Float32Array
  /** Whether a pixel's light is known. */
  readonly #lit: Uint8Array
  readonly #direction = new Float64Array(3)
  readonly #point = new Float64Array(3)
  readonly #normal = new Float64Array(3)
  readonly #colour = new Float64Array(3)
  #camera!: Camera
  #targets!: Targets
  #light!: Light
  #stage!: Stage
  #level: number | undefined
  #ground = DRY
  #tile = 1
  /** Solids near the rays of a tile. */
  #near = new Int32Array(0)
  #nearCount = 0
  /** Of the last `find`. */
  #distance = 0

  constructor(width: number, height: number) {
    this.#width = width
    this.#height = height
    this.#corners = new Int32Array((width + 1) * (height + 1))
    this.#centres = new Int32Array(width * height)
    this.#distances = new Float64Array(width * height)
    this.#sun = new Float32Array(width * height)
    this.#sky = new Float32Array(width * height)
    this.#lit = new Uint8Array(width * height)
  }

  /** Draws a scene: what agents drive in their colours, the rest grey. The same scene gives the same bytes. */
  draw(scene: Scene, camera: Camera, stage = stageOf(scene)): Picture {
    this.#camera = camera
    this.#stage = stage
    this.#level = scene.ground
    this.#ground = scene.liquid ? WET : DRY
    this.#targets = new Targets(scene)
    this.#near = new Int32Array(this.#targets.count)
    this.#light = new Light(this.#targets, scene.ground, 0.5 * stage.extent)
    this.#tile = tileSize(stage.extent)
    this.#lit.fill(0)
    this.#look()
    this.#lightCells()
    const data = new Uint8Array(this.#width * this.#height * 3)
    for (let y = 0; y < this.#height; y += TILE)
      for (let x = 0; x < this.#width; x += TILE) this.#paintTile(x, y, data)
    return { width: this.#width, height: this.#height, data }
  }

  /** The ray through a point of the picture, in pixels, into `direction`. */
  #aim(x: number, y: number): void {
    const { forward, right, up } = this.#camera
    const across = (2 * x) / this.#width - 1
    const above = 1 - (2 * y) / this.#height
    const dx = forward[0] + across * right[0] + above * up[0]
    const dy = forward[1] + across * right[1] + above * up[1]
    const dz = forward[2] + across * right[2] + above * up[2]
    const s = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz)
    this.#direction[0] = dx * s
    this.#direction[1] = dy * s
    this.#direction[2] = dz * s
  }

  /** Finds the solids that the rays of a tile can meet. */
  #gather(x: number, y: number): void {
    const middle = TILE / 2
    this.#aim(x + middle, y + middle)
    const [ax, ay, az] = this.#direction
    const axis: Vector = [ax, ay, az]
    let least = 1
    for (const dx of [0, TILE]) {
      for (const dy of [0, TILE]) {
        this.#aim(x + dx, y + dy)
        const d = this.#direction
        least = Math.min(least, d[0] * ax + d[1] * ay + d[2] * az)
      }
    }
    const slope = (1.01 * Math.sqrt(1 - least * least)) / least
    const [ox, oy, oz] = this.#camera.eye
    this.#nearCount = this.#targets.inCone(ox, oy, oz, axis, slope, Infinity, -1, this.#near)
  }

  /** Surface and band that are seen at a point of the picture; sets `distance` and `direction`. */
  #find(x: number, y: number): number {
    this.#aim(x, y)
    const d = this.#direction
    const { eye } = this.#camera
    let nearest = Infinity
    let found = -1
    for (let k = 0; k < this.#nearCount; k++) {
      const t = this.#targets.hit(this.#near[k], eye[0], eye[1], eye[2], d[0], d[1], d[2])
      if (t < nearest) {
        nearest = t
        found = this.#near[k]
      }
    }
    const level = this.#level
    if (level !== undefined && d[2] < 0 && (level - eye[2]) / d[2] < nearest && eye[2] > level) {
      const t = (this.#distance = (level - eye[2]) / d[2])
      const column = Math.floor((eye[0] + t * d[0]) / this.#tile)
      const row = Math.floor((eye[1] + t * d[1]) / this.#tile)
      return GROUND * BANDS + ((column + row) & 1)
    }
    this.#distance = nearest
    if (found < 0) return SKY
    const [px, py, pz] = [eye[0] + nearest * d[0], eye[1] + nearest * d[1], eye[2] + nearest * d[2]]
    return (SOLIDS + found) * BANDS + this.#targets.band(found, px, py, pz)
  }

  /** Looks through the corners and the centres of all pixels. */
  #look(): void {
    const width = this.#width
    const height = this.#height
    for (let top = 0; top <= height; top += TILE) {
      for (let left = 0; left <= width; left += TILE) {
        this.#gather(left, top)
        for (let y = top; y < Math.min(top + TILE, height + 1); y++) {
          for (let x = left; x < Math.min(left + TILE, width + 1); x++) {
            this.#corners[y * (width + 1) + x] = this.#find(x, y)
            if (x === width || y === height) continue
            this.#centres[y * width + x] = this.#find(x + 0.5, y + 0.5)
            this.#distances[y * width + x] = this.#distance
          }
        }
      }
    }
  }

  /** The point at a distance along `direction` and the normal there, away from the surface. @returns cosine at which it is seen */
  #touch(surface: number, distance: number): number {
    const d = this.#direction
    const { eye } = this.#camera
    const p = this.#point
    const n = this.#normal
    for (let k = 0; k < 3; k++) p[k] = eye[k] + distance * d[k]
    if (surface === GROUND) n.set([0, 0, 1])
    else this.#targets.normal(surface - SOLIDS, p[0], p[1], p[2], n)
    const facing = n[0] * d[0] + n[1] * d[1] + n[2] * d[2]
    if (facing > 0) for (let k = 0; k < 3; k++) n[k] = -n[k]
    return Math.abs(facing)
  }

  /** Light of the sun at the last `touch`, by every `stride`-th ray; the sky's is returned by `skyAt`. */
  #sunAt(surface: number, stride: number): number {
    const p = this.#point
    const n = this.#normal
    if (surface === GROUND) return this.#fade() < 1 ? this.#light.sun(p[0], p[1], p[2], -1, stride) : 1
    if (n[0] * SUN[0] + n[1] * SUN[1] + n[2] * SUN[2] <= 0) return 0
    const off = 1e-4 * this.#stage.extent
    const [x, y, z] = [p[0] + off * n[0], p[1] + off * n[1], p[2] + off * n[2]]
    return this.#light.sun(x, y, z, surface - SOLIDS, stride)
  }

  #skyAt(surface: number, stride: number): number {
    const p = this.#point
    const n = this.#normal
    if (surface === GROUND) return this.#fade() < 1 ? this.#light.sky(p[0], p[1], p[2], n, -1, stride) : 1
    const off = 1e-4 * this.#stage.extent
    const [x, y, z] = [p[0] + off * n[0], p[1] + off * n[1], p[2] + off * n[2]]
    return this.#light.sky(x, y, z, n, surface - SOLIDS, stride)
  }

  /** How far the ground at the last `touch` has faded into the background, from 0 to 1. */
  #fade(): number {
    const { centre, extent } = this.#stage
    const x = this.#point[0] - centre[0]
    const y = this.#point[1] - centre[1]
    return smooth((Math.sqrt(x * x + y * y) / extent - 1.1) / 2.6)
  }

  /** Finds the light of a pixel, at what is seen in its centre. */
  #lightPixel(i: number): void {
    if (this.#lit[i] === 1) return
    this.#lit[i] = 1
    const surface = (this.#centres[i] / BANDS) | 0
    if (surface === SKY) return
    this.#aim((i % this.#width) + 0.5, Math.floor(i / this.#width) + 0.5)
    this.#touch(surface, this.#distances[i])
    this.#sun[i] = this.#sunAt(surface, 1)
    this.#sky[i] = this.#skyAt(surface, 1)
  }

  /** Interpolates light in the squares between every `CELL`-th pixel in which it changes evenly. */
  #lightCells(): void {
    const width = this.#width
    for (let y = 0; y + CELL < this.#height; y += CELL) {
      for (let x = 0; x + CELL < width; x += CELL) {
        const first = y * width + x
        const surface = (this.#centres[first] / BANDS) | 0
        const middle = first + (CELL / 2) * (width + 1)
        const others = [first + CELL, first + CELL * width, first + CELL * (width + 1), middle]
        const alone = others.every((i) => ((this.#centres[i] / BANDS) | 0) === surface)
        if (surface === SKY || !alone) continue
        this.#lightPixel(first)
        for (const i of others) this.#lightPixel(i)
        const even = [this.#sun, this.#sky].every((light) =>
          isEven(light[first], light[others[0]], light[others[1]], light[others[2]], light[middle]),
        )
        if (even) this.#fillCell(first, surface)
      }
    }
  }

  #fillCell(first: number, surface: number): void {
    const width = this.#width
    for (const light of [this.#sun, this.#sky]) {
      const a = light[first]
      const b = light[first + CELL]
      const c = light[first + CELL * width]
      const d = light[first + CELL * (width + 1)]
      for (let y = 0; y < CELL; y++) {
        for (let x = 0; x < CELL; x++) {
          const i = first + y * width + x
          if (((this.#centres[i] / BANDS) | 0) !== surface) continue
          const [u, v] = [x / CELL, y / CELL]
          light[i] = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * c + u * d)
          this.#lit[i] = 1
        }
      }
    }
  }

  #paintTile(left: number, top: number, data: Uint8Array): void {
    const width = this.#width
    const corners = this.#corners
    const colour = this.#colour
    let gathered = false
    for (let y = top; y < Math.min(top + TILE, this.#height); y++) {
      for (let x = left; x < Math.min(left + TILE, width); x++) {
        const at = y * (width + 1) + x
        const i = y * width + x
        const seen = this.#centres[i]
        const plain =
          corners[at] === seen &&
          corners[at + 1] === seen &&
          corners[at + width + 1] === seen &&
          corners[at + width + 2] === seen
        colour.fill(0)
        this.#lightPixel(i)
        if (plain) {
          this.#aim(x + 0.5, y + 0.5)
          this.#shade(seen, this.#distances[i], y + 0.5, this.#sun[i], this.#sky[i])
        } else {
          if (!gathered) this.#gather(left, top)
          gathered = true
          this.#paintEdge(x, y, i)
        }
        for (let k = 0; k < 3; k++) data[3 * i + k] = byte(colour[k])
      }
    }
  }

  /** The mean colour of a pixel's samples. Each surface has the light of the pixel, or of the sample that meets it first. */
  #paintEdge(x: number, y: number, i: number): void {
    const own = (this.#centres[i] / BANDS) | 0
    const known = new Map([[own, { sun: this.#sun[i], sky: this.#sky[i] }]])
    for (let sample = 0; sample < EDGE_SAMPLES; sample++) {
      const [u, v] = evenPoint(sample)
      const seen = this.#find(x + u, y + v)
      const surface = (seen / BANDS) | 0
      const distance = this.#distance
      let light = known.get(surface)
      if (light === undefined) {
        if (surface !== SKY) this.#touch(surface, distance)
        const open = surface === SKY
        light = {
          sun: open ? 1 : this.#sunAt(surface, EDGE_STRIDE),
          sky: open ? 1 : this.#skyAt(surface, EDGE_STRIDE),
        }
        known.set(surface, light)
      }
      this.#shade(seen, distance, y + v, light.sun, light.sky)
    }
    for (let k = 0; k < 3; k++) this.#colour[k] /= EDGE_SAMPLES
  }

  /** Adds the light that comes back along `direction` to `colour`. @param y height in the picture, in pixels */
  #shade(seen: number, distance: number, y: number, sun: number, sky: number): void {
    const surface = (seen / BANDS) | 0
    const band = seen % BANDS
    const out = this.#colour
    const { low, high, tiles } = this.#ground
    const h = 1 - y / this.#height
    if (surface === SKY) {
      for (let k = 0; k < 3; k++) out[k] += low[k] + (high[k] - low[k]) * h
      return
    }
    const facing = this.#touch(surface, distance)
    if (surface === GROUND) {
      const fade = this.#fade()
      for (let k = 0; k < 3; k++) {
        // Unshadowed ground has its tile's own colour.
        const full = SUN_LIGHT[k] * SUN[2] + SKY_LIGHT[k]
        const light = (SUN_LIGHT[k] * SUN[2] * sun + SKY_LIGHT[k] * sky) / full
        out[k] += (1 - fade) * tiles[band][k] * light + fade * (low[k] + (high[k] - low[k]) * h)
      }
      return
    }
    const n = this.#normal
    const d = this.#direction
    const towards = Math.max(0, n[0] * SUN[0] + n[1] * SUN[1] + n[2] * SUN[2])
    const half = halfway(d[0], d[1], d[2])
    const glance = Math.max(0, n[0] * half[0] + n[1] * half[1] + n[2] * half[2])
    const gloss = sun * towards * 0.5 * power48(glance)
    const averted = 1 - Math.min(1, facing)
    const rim = 0.25 * averted * averted * averted * averted * sky
    const above = (n[2] + 1) / 2
    const colour = this.#targets.colours[surface - SOLIDS][band]
    for (let k = 0; k < 3; k++) {
      const ambient = SKY_LIGHT[k] * above + GROUND_LIGHT[k] * (1 - above)
      const diffuse = colour[k] * (0.5 * SUN_LIGHT[k] * sun * towards + 0.78 * ambient * sky)
      out[k] += soften(diffuse + gloss + rim)
    }
  }
}

/** Tiles are 0.1, 0.2, 0.5, 1, 2 ... m, about a fourth of what is shown. */
function tileSize(extent: number): number {
  let decade = 1
  while (decade > extent / 2) decade /= 10
  while (10 * decade <= extent / 2) decade *= 10
  return [1, 2, 5, 10].map((k) => k * decade).find((size) => size >= extent / 3)!
}

/** Whether light in a square can be interpolated between its corners. */
function isEven(a: number, b: number, c: number, d: number, middle: number): boolean {
  const range = Math.max(a, b, c, d) - Math.min(a, b, c, d)
  return range <= STEEP && Math.abs((a + b + c + d) / 4 - middle) <= UNEVEN
}

/** 0 up to 0, 1 from 1 on, smooth between. */
function smooth(x: number): number {
  const t = Math.max(0, Math.min(1, x))
  return t * t * (3 - 2 * t)
}

/** x^48. */
function power48(x: number): number {
  const cube = x * x * x
  const sixth = cube * cube
  const twelfth = sixth * sixth
  return twelfth * twelfth * twelfth * twelfth
}

/** Keeps highlights below white. */
function soften(x: number): number {
  return x < 0.7 ? x : 0.7 + 0.3 * (1 - exponential((0.7 - x) / 0.3))
}

/** Draws one scene from where all of it is seen. */
export function draw(scene: Scene, view: View, width: number, height: number): Picture {
  const camera = fitCamera(hullOf(shownSolids(scene)), view, width / height)
  return new Tracer(width, height).draw(scene, camera)
}
