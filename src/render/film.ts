import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scene, View } from '../envs/scene.js'
import type { Caption } from './caption.js'
import { frameEpisodes } from './framing.js'
import { GIF_COLOURS, GifWriter } from './gif.js'
import { ColourCount, type Palette } from './palette.js'
import { MeshList, type PaintOrder } from './painter.js'
import type { Studio } from './studio.js'

/** A moment of an episode. */
export interface Moment {
  readonly scene: Scene
  readonly caption: Caption
  /** Of simulated time since the episode began. */
  readonly seconds: number
}

export interface FilmSize {
  readonly width: number
  readonly height: number
}

/** Pictures of a film in order, and for how long each is shown. */
export interface Film {
  readonly orders: readonly Omit<PaintOrder, 'as'>[]
  /** Hundredths of a second. */
  readonly durations: readonly number[]
  /** Pictures of the first episode, which come first. */
  readonly first: number
  /** Of all pictures. */
  readonly meshes: MeshList['meshes']
}

/** Hundredths of a second for which the last picture of an episode is shown, so that its return can be read. */
const LAST = 120
/** Shortest time of a picture that viewers of GIFs respect. */
const SHORTEST = 2
/** Pictures that a film's palette is made of. */
const PALETTE_PICTURES = 10

const DEFAULT_VIEW: View = { azimuth: 65, elevation: 16, margin: 0.14 }

/**
 * Plans the pictures of episodes.
 * @param view undefined for the scenes' own
 * @param seconds between moments
 */
export function planFilm(
  episodes: readonly (readonly Moment[])[],
  { width, height }: FilmSize,
  view: View | undefined,
  seconds: number,
): Film {
  const scenes = episodes.map((moments) => moments.map(({ scene }) => scene))
  const chosen = view ?? scenes[0][0].view ?? DEFAULT_VIEW
  const framings = frameEpisodes(scenes, chosen, width / height, seconds)
  const list = new MeshList()
  const orders = episodes.flatMap((moments, e) =>
    moments.map(({ scene, caption }, i) => ({
      scene: list.post(scene),
      caption,
      width,
      height,
      ...framings[e][i],
    })),
  )
  return {
    orders,
    durations: episodes.flatMap(durationsOf),
    first: episodes[0].length,
    meshes: list.meshes,
  }
}

/** Rounded so that errors do not add up. */
function durationsOf(moments: readonly Moment[]): number[] {
  const at = moments.map(({ seconds }) => Math.floor(100 * seconds + 0.5))
  return at.map((begin, i) => (i + 1 < at.length ? Math.max(SHORTEST, at[i + 1] - begin) : LAST))
}

/** Bytes of a GIF. @param painted called with the number of finished pictures */
export async function encodeGif(
  { orders, durations }: Film,
  studio: Studio,
  painted: (done: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const palette = await choosePalette(orders, studio)
  const { width, height } = orders[0]
  const gif = new GifWriter(width, height, palette)
  let done = 0
  for await (const pixels of studio.paint(orders.map((order) => ({ ...order, as: 'indices', palette })))) {
    gif.add(pixels, durations[done])
    painted(++done)
  }
  return gif.finish()
}

/** One palette for all pictures, so that nothing flickers; from some of them, drawn at half their size. */
async function choosePalette(orders: Film['orders'], studio: Studio): Promise<Palette> {
  const count = new ColourCount()
  const picked = Array.from({ length: Math.min(PALETTE_PICTURES, orders.length) }, (_, i) => {
    const order = orders[Math.floor(((i + 0.5) * orders.length) / Math.min(PALETTE_PICTURES, orders.length))]
    const [width, height] = [order.width, order.height].map((size) => Math.ceil(size / 2))
    return { ...order, width, height, as: 'pixels' as const }
  })
  for await (const pixels of studio.paint(picked)) count.add(pixels)
  return count.palette(GIF_COLOURS)
}

/** The bytes of one picture. */
export async function encodeStill(
  order: Film['orders'][number],
  studio: Studio,
): Promise<Uint8Array<ArrayBuffer>> {
  for await (const png of studio.paint([{ ...order, as: 'png' }])) return png
  throw new Error('the studio drew nothing')
}

/**
 * Writes pictures into a folder as 000001.png and so on.
 * @param painted called with the number of finished pictures
 * @returns bytes of all files
 */
export async function writeFrames(
  folder: string,
  { orders }: Film,
  studio: Studio,
  painted: (done: number) => void,
): Promise<number> {
  let done = 0
  let bytes = 0
  for await (const png of studio.paint(orders.map((order) => ({ ...order, as: 'png' })))) {
    painted(++done)
    bytes += png.length
    writeFileSync(join(folder, `${String(done).padStart(6, '0')}.png`), png)
  }
  return bytes
}
