import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { RUNNING } from '../envs/contract.js'
import { HatrpoError, usageError } from '../errors.js'
import type { Caption } from '../render/caption.js'
import { encodeGif, encodeStill, planFilm, writeFrames, type Film, type Moment } from '../render/film.js'
import { Studio } from '../render/studio.js'
import { replaceFile } from '../runs/disk.js'
import { ask, type Players, type Spectator } from './evaluate-bundle.js'
import { expectWhole } from './evaluate.js'
import { DEFAULTS, expectWritable, type RenderedFile, type RenderOptions } from './render-options.js'

/** Seconds for which a step is shown in environments without simulated time. */
const STEP_SECONDS = 0.1

/** Takes the moments of episodes that are drawn. */
export class Cameraman implements Spectator {
  readonly episodes: Moment[][] = []
  /** Between moments. */
  readonly seconds: number
  readonly #players: Players
  readonly #count: number
  readonly #stepSeconds: number
  /** Steps between moments. */
  readonly #stride: number
  readonly #until: number
  #step = 0

  /** @throws HatrpoError (exit code 2) for an environment without pictures */
  constructor(
    players: Players,
    {
      episodes = DEFAULTS.episodes,
      seconds = DEFAULTS.seconds,
      fps = DEFAULTS.fps,
      width = DEFAULTS.width,
      height = DEFAULTS.height,
    }: RenderOptions,
  ) {
    const { spec } = players.task
    if (!players.task.scene)
      throw usageError(
        `${spec.id} cannot be drawn: it has neither a MuJoCo model nor a scene(); record a trajectory instead`,
      )
    expectWithin('width', width, 16, 4096)
    expectWithin('height', height, 16, 4096)
    expectWhole('width', width, 16)
    expectWhole('height', height, 16)
    expectWithin('seconds', seconds, 0, Infinity)
    expectWithin('fps', fps, 0.01, 100)
    this.#players = players
    this.#count = episodes
    this.#stepSeconds = spec.stepSeconds ?? STEP_SECONDS
    // The margin prevents rounding up a quotient that is an integer within rounding.
    this.#stride = Math.max(1, Math.ceil(1 / (fps * this.#stepSeconds) - 1e-9))
    this.seconds = this.#stride * this.#stepSeconds
    this.#until = seconds
  }

  begun(): void {
    this.episodes.push([])
    this.#step = 0
    this.#take(0)
  }

  chosen(): void {}

  stepped(total: number, end: number): void {
    this.#step++
    const shown = this.#step * this.#stepSeconds <= this.#until + 1e-9
    if (shown && (end !== RUNNING || this.#step % this.#stride === 0)) this.#take(total)
  }

  #take(total: number): void {
    const { task } = this.#players
    const scene = ask(task, 'scene()', () => task.scene!())
    const seconds = this.#step * this.#stepSeconds
    this.episodes.at(-1)!.push({ scene, caption: this.#caption(total, seconds), seconds })
    if (scene.solids.length === 0) throw new HatrpoError(`${task.spec.id}: scene() has no solids to draw`)
  }

  #caption(total: number, seconds: number): Caption {
    const { id, agents, stepSeconds } = this.#players.task.spec
    const time = stepSeconds === undefined ? '' : `   ${seconds.toFixed(1)} s`
    const episode = this.#count === 1 ? [] : [`episode ${this.episodes.length} of ${this.#count}`]
    return {
      title: `return ${total.toFixed(1)}`,
      lines: [`step ${this.#step}${time}`, ...episode],
      source: id.replace(/^.*[\\/](?=[^\\/]*\.[a-z]+$)/i, ''),
      agents: agents.map(({ id }) => id),
    }
  }
}

function expectWithin(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw usageError(`${name} is ${value}: it must be a number from ${least} to ${most}`)
}

/** Draws a film into a file or a folder. */
type PictureWriter = (
  film: Film,
  studio: Studio,
  options: RenderOptions,
  seconds: number,
) => Promise<RenderedFile>

/** Writers by the ending of a file's name. */
const PICTURES: Readonly<Record<string, (path: string) => PictureWriter>> = {
  '.gif': (path) => async (film, studio, options) => {
    const pictures = film.orders.length
    const bytes = await encodeGif(film, studio, (done) => options.onPicture?.(done, pictures))
    replaceFile(path, bytes)
    return { path, bytes: bytes.length, pictures }
  },
  '.png':
    (path) =>
    async (film, studio, { at }, seconds) => {
      const chosen = at === undefined ? Math.floor(film.first / 2) : Math.floor(at / seconds + 0.5)
      const bytes = await encodeStill(film.orders[Math.min(film.first - 1, chosen)], studio)
      replaceFile(path, bytes)
      return { path, bytes: bytes.length, pictures: 1 }
    },
}

/** @throws HatrpoError (exit code 2) for a name that says nothing, and for a folder that is not empty */
export function pictureWriter(path: string): PictureWriter {
  const ending = Object.keys(PICTURES).find((ending) => path.toLowerCase().endsWith(ending))
  if (ending !== undefined) {
    expectWritable(path)
    return PICTURES[ending](path)
  }
  const isFolder = existsSync(path) && statSync(path).isDirectory()
  if (!/[\\/]$/.test(path) && !isFolder)
    throw usageError(
      `out is ${JSON.stringify(path)}: its name must end with ${Object.keys(PICTURES).join(', ')}, or with / for a folder of pictures`,
    )
  const [present] = isFolder ? readdirSync(path) : []
  if (!isFolder) expectWritable(path.replace(/[\\/]+$/, ''))
  if (present !== undefined)
    throw usageError(
      `out is ${JSON.stringify(path)}: the folder is not empty (${present}): name a new or empty one`,
    )
  return async (film, studio, options, seconds) => {
    const pictures = film.orders.length
    if (!isFolder) mkdirSync(path)
    const bytes = await writeFrames(path, film, studio, (done) => options.onPicture?.(done, pictures))
    return { path, bytes, pictures, rate: 1 / seconds }
  }
}

/** Draws the recorded scenes. */
export async function shoot(
  camera: Cameraman,
  write: PictureWriter,
  options: RenderOptions,
): Promise<RenderedFile> {
  const { width = DEFAULTS.width, height = DEFAULTS.height, view } = options
  const workers = options.workers ?? availableParallelism()
  expectWhole('workers', workers, 0)
  const film = planFilm(camera.episodes, { width, height }, view, camera.seconds)
  const studio = new Studio(Math.min(workers, film.orders.length), film.meshes)
  try {
    return await write(film, studio, options, camera.seconds)
  } finally {
    await studio.close()
  }
}
