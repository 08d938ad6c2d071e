import type { Scene, Shape, Solid } from '../envs/scene.js'
import { drawCaption, type Caption } from './caption.js'
import type { Framing } from './framing.js'
import { NearestColour, type Palette } from './palette.js'
import { encodeTrueColourPng } from './png.js'
import { Tracer, type Picture } from './trace.js'

/** A scene without its meshes, which every thread has once. */
export interface PostedScene extends Omit<Scene, 'solids'> {
  readonly solids: readonly (Omit<Solid, 'shape'> & { readonly shape: Shape | number })[]
}

/** A picture to be drawn: plain data, so that it can be posted to other threads. */
export interface PaintOrder extends Framing {
  readonly scene: PostedScene
  readonly caption: Caption
  readonly width: number
  readonly height: number
  /** `pixels`: bytes of red, green and blue; `indices`: positions in `palette`; `png`: a file. */
  readonly as: 'pixels' | 'indices' | 'png'
  readonly palette?: Palette
}

/** Meshes of scenes, each once. */
export class MeshList {
  readonly meshes: Shape[] = []
  readonly #numbers = new Map<Shape, number>()

  post(scene: Scene): PostedScene {
    const solids = scene.solids.map((solid) => ({ ...solid, shape: this.#postShape(solid.shape) }))
    return { ...scene, solids }
  }

  #postShape(shape: Shape): Shape | number {
    if (shape.kind !== 'mesh') return shape
    let number = this.#numbers.get(shape)
    if (number === undefined) {
      number = this.meshes.push(shape) - 1
      this.#numbers.set(shape, number)
    }
    return number
  }
}

/** Draws pictures. */
export class Painter {
  readonly #meshes: readonly Shape[]
  readonly #tracers = new Map<string, Tracer>()
  #palette: Palette | undefined
  #nearest: NearestColour | undefined

  /** @param meshes of all scenes, by number */
  constructor(meshes: readonly Shape[]) {
    this.#meshes = meshes
  }

  paint(order: PaintOrder): Uint8Array<ArrayBuffer> {
    const solids = order.scene.solids.map((solid): Solid => {
      const { shape } = solid
      return { ...solid, shape: typeof shape === 'number' ? this.#meshes[shape] : shape }
    })
    const tracer = this.#tracer(order.width, order.height)
    const picture = tracer.draw({ ...order.scene, solids }, order.camera, order.stage)
    drawCaption(picture, order.caption)
    return this.#pack(picture, order)
  }

  #tracer(width: number, height: number): Tracer {
    const key = `${width} ${height}`
    const tracer = this.#tracers.get(key) ?? new Tracer(width, height)
    this.#tracers.set(key, tracer)
    return tracer
  }

  #pack(picture: Picture, { as, palette = [] }: PaintOrder): Uint8Array<ArrayBuffer> {
    if (as === 'png') return encodeTrueColourPng(picture)
    if (as === 'pixels') return picture.data
    const same = JSON.stringify(this.#palette) === JSON.stringify(palette)
    if (!same || this.#nearest === undefined) this.#nearest = new NearestColour(palette)
    this.#palette = palette
    return this.#nearest.indices(picture.data)
  }
}
