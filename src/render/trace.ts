import { exponential } from '../envs/exponential.js'
import type { Scene, View } from '../envs/scene.js'
import { fitCamera, hullOf, shownSolids, stageOf, type Camera, type Stage } from './camera.js'
import { byte, linear } from './colours.js'
import { evenPoint, GROUND_LIGHT, Light, SKY_LIGHT, SUN, SUN_LIGHT } from './light.js'
import { BANDS, GROUND, Sight, SKY, SOLIDS, TILE } from './sight.js'
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

/** Share of the sun in the light of level ground. */
const SUN_SHARE = SUN_LIGHT.map((sun, k) => (sun * SUN[2]) / (sun * SUN[2] + SKY_LIGHT[k]))

/** Points of a pixel that are looked at where more than one colour is in it. */
const EDGE_SAMPLES = 16
const EDGE_POINTS = Float64Array.from(Array.from({ length: EDGE_SAMPLES }, (_, i) => evenPoint(i)).flat())
/** Share of the light's rays that such a point has. */
const EDGE_STRIDE = 4
/** Pixels along a side of the squares in which light is interpolated, where it changes evenly. */
const CELL = 4
const MIDDLE = CELL / 2
/** Largest change of light in such a square, and largest difference in its middle from the mean of its corners. */
const STEEP = 0.3
const UNEVEN = 0.02

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
  readonly #point = new Float64Array(3)
  readonly #normal = new Float64Array(3)
  readonly #colour = new Float64Array(3)
  /** Surfaces that an edge's samples have met, and the light of the sun and of the sky there. */
  readonly #met = new Int32Array(EDGE_SAMPLES + 1)
  readonly #metLight = new Float64Array(2 * EDGE_SAMPLES + 2)
  #eye!: Vector
  #sight!: Sight
  #targets!: Targets
  #light!: Light
  #stage!: Stage
  #ground = DRY

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

  /**
   * Draws a scene: bodies that agents drive in the agents' colours, others in grey. The same scene gives the same
   * bytes.
   */
  draw(scene: Scene, camera: Camera, stage = stageOf(scene)): Picture {
    const [width, height] = [this.#width, this.#height]
    this.#eye = camera.eye
    this.#stage = stage
    this.#ground = scene.liquid ? WET : DRY
    this.#targets = new Targets(scene)
    this.#light = new Light(this.#targets, scene.ground, 0.5 * stage.extent)
    const tile = tileSize(stage.extent)
    this.#sight = new Sight({ width, height }, camera, this.#targets, scene.ground, tile)
    this.#lit.fill(0)
    this.#look()
    this.#lightCells()
    const data = new Uint8Array(width * height * 3)
    for (let y = 0; y < height; y += TILE) for (let x = 0; x < width; x += TILE) this.#paintTile(x, y, data)
    return { width, height, data }
  }

  /** Looks through the corners and the centres of all pixels. */
  #look(): void {
    const width = this.#width
    const height = this.#height
    for (let top = 0; top <= height; top += TILE) {
      for (let left = 0; left <= width; left += TILE) {
        this.#sight.gather(left, top)
        for (let y = top; y < Math.min(top + TILE, height + 1); y++) {
          for (let x = left; x < Math.min(left + TILE, width + 1); x++) {
            this.#corners[y * (width + 1) + x] = this.#sight.find(x, y)
            if (x === width || y === height) continue
            this.#centres[y * width + x] = this.#sight.find(x + 0.5, y + 0.5)
            this.#distances[y * width + x] = this.#sight.distance
          }
        }
      }
    }
  }

  /** The point at a distance along `direction` and the normal there, away from the surface. @returns cosine at which it is seen */
  #touch(surface: number, distance: number): number {
    const d = this.#sight.direction
    const eye = this.#eye
    const p = this.#point
    const n = this.#normal
    for (let k = 0; k < 3; k++) p[k] = eye[k] + distance * d[k]
    if (surface === GROUND) {
      n[0] = n[1] = 0
      n[2] = 1
    } else this.#targets.normal(surface - SOLIDS, p[0], p[1], p[2], n)
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

  /** Fading of the ground into the background at the last `touch`, from 0 to 1. */
  #fade(): number {
    const { centre, extent } = this.#stage
    const x = this.#point[0] - centre[0]
    const y = this.#point[1] - centre[1]
    return smooth((Math.sqrt(x * x + y * y) / extent - 1.1) / 2.6)
  }

  /** Computes the light of a pixel at the point seen in its centre. */
  #lightPixel(i: number): void {
    if (this.#lit[i] === 1) return
    this.#lit[i] = 1
    const surface = (this.#centres[i] / BANDS) | 0
    if (surface === SKY) return
    this.#sight.aim((i % this.#width) + 0.5, Math.floor(i / this.#width) + 0.5)
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
        if (surface === SKY || !this.#isWhole(first, surface)) continue
        this.#lightPixel(first)
        this.#lightPixel(first + CELL)
        this.#lightPixel(first + CELL * width)
        this.#lightPixel(first + CELL * (width + 1))
        this.#lightPixel(first + MIDDLE * (width + 1))
        if (this.#isEven(this.#sun, first) && this.#isEven(this.#sky, first)) this.#fillCell(first, surface)
      }
    }
  }

  /** Whether a surface is seen at the corners of a square and in its middle. */
  #isWhole(first: number, surface: number): boolean {
    const centres = this.#centres
    const width = this.#width
    return (
      ((centres[first + CELL] / BANDS) | 0) === surface &&
      ((centres[first + CELL * width] / BANDS) | 0) === surface &&
      ((centres[first + CELL * (width + 1)] / BANDS) | 0) === surface &&
      ((centres[first + MIDDLE * (width + 1)] / BANDS) | 0) === surface
    )
  }

  /** Whether light in a square can be interpolated between its corners. */
  #isEven(light: Float32Array, first: number): boolean {
    const width = this.#width
    const a = light[first]
    const b = light[first + CELL]
    const c = light[first + CELL * width]
    const d = light[first + CELL * (width + 1)]
    const range = Math.max(a, b, c, d) - Math.min(a, b, c, d)
    const middle = light[first + MIDDLE * (width + 1)]
    return range <= STEEP && Math.abs((a + b + c + d) / 4 - middle) <= UNEVEN
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
          const u = x / CELL
          const v = y / CELL
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
          this.#sight.aim(x + 0.5, y + 0.5)
          this.#shade(seen, this.#distances[i], y + 0.5, this.#sun[i], this.#sky[i])
        } else {
          if (!gathered) this.#sight.gather(left, top)
          gathered = true
          this.#paintEdge(x, y, i)
        }
        for (let k = 0; k < 3; k++) data[3 * i + k] = byte(colour[k])
      }
    }
  }

  /** The mean colour of a pixel's samples. Each surface has the light of the pixel, or of the sample that meets it first. */
  #paintEdge(x: number, y: number, i: number): void {
    const surfaces = this.#met
    const lights = this.#metLight
    surfaces[0] = (this.#centres[i] / BANDS) | 0
    lights[0] = this.#sun[i]
    lights[1] = this.#sky[i]
    let count = 1
    for (let sample = 0; sample < EDGE_SAMPLES; sample++) {
      const v = EDGE_POINTS[2 * sample + 1]
      const seen = this.#sight.find(x + EDGE_POINTS[2 * sample], y + v)
      const surface = (seen / BANDS) | 0
      const distance = this.#sight.distance
      let k = 0
      while (k < count && surfaces[k] !== surface) k++
      if (k === count) {
        surfaces[count++] = surface
        if (surface !== SKY) {
          this.#touch(surface, distance)
          lights[2 * k] = this.#sunAt(surface, EDGE_STRIDE)
          lights[2 * k + 1] = this.#skyAt(surface, EDGE_STRIDE)
        }
      }
      this.#shade(seen, distance, y + v, lights[2 * k], lights[2 * k + 1])
    }
    for (let k = 0; k < 3; k++) this.#colour[k] /= EDGE_SAMPLES
  }

  /** Adds the light from `direction` to `colour`. @param y height in the picture, in pixels */
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
        const light = SUN_SHARE[k] * sun + (1 - SUN_SHARE[k]) * sky
        out[k] += (1 - fade) * tiles[band][k] * light + fade * (low[k] + (high[k] - low[k]) * h)
      }
      return
    }
    const n = this.#normal
    const d = this.#sight.direction
    const towards = Math.max(0, n[0] * SUN[0] + n[1] * SUN[1] + n[2] * SUN[2])
    // The direction half-way between the sun and the eye shines most.
    const [hx, hy, hz] = [SUN[0] - d[0], SUN[1] - d[1], SUN[2] - d[2]]
    const glance = Math.max(0, n[0] * hx + n[1] * hy + n[2] * hz) / Math.sqrt(hx * hx + hy * hy + hz * hz)
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

/** Tiles are 0.1, 0.2, 0.5, 1, 2 ... m, about a fourth of the visible width. */
function tileSize(extent: number): number {
  let decade = 1
  while (decade > extent / 2) decade /= 10
  while (10 * decade <= extent / 2) decade *= 10
  return [1, 2, 5, 10].map((k) => k * decade).find((size) => size >= extent / 3)!
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
