import { createHash } from 'node:crypto'
import { readFileSync, statSync, type Stats } from 'node:fs'
import { join, parse, relative, sep } from 'node:path'
import type { MjModel } from '@mujoco/mujoco'
import { HatrpoError, usageError } from '../../errors.js'
import type { Mujoco } from './load.js'

/** A model compiled from a file, and the digest of all that was read for it. */
export interface ModelFile {
  readonly handle: MjModel
  /** Absolute paths of the MJCF file and of every file it led to: includes, meshes, textures, height fields. */
  readonly files: readonly string[]
  /** SHA-256, in hexadecimal, of what those files hold, with their places relative to the first. */
  readonly sha256: string
}

// The operations that MuJoCo's C library needs of a file system, in Emscripten's terms. Its own declarations leave the types open.
interface Node {
  readonly id: number
  readonly mode: number
  /** On the machine's disk. */
  path: string
  node_ops: object
  stream_ops: object
}
interface Stream {
  readonly node: Node
  position: number
  bytes: Uint8Array
}

const DIRECTORY = 0o40555
const FILE = 0o100444
/** Emscripten's error numbers. */
const NO_ENTRY = 44
const INVALID = 28
const SEEK_CURRENT = 1
const SEEK_END = 2
const BLOCK = 4096

/** Mounts made in this thread: MuJoCo keeps assets by path, so a path must never name other content. */
let mounts = 0

/**
 * Compiles a model from an MJCF file. MuJoCo opens the files itself, through a read-only view of the machine's disk, so
 * that includes, asset directories and attached models are found as its documentation says.
 * @param path absolute
 * @throws HatrpoError with MuJoCo's message on one line when the file is not there or does not compile
 */
export function loadModelFile(mujoco: Mujoco, path: string): ModelFile {
  const { FS, MjModel } = mujoco.api
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw usageError(`model ${path}: there is no such file`)
  }
  const root = parse(path).root
  const mount = `/disk${mounts++}`
  const read = new Map<string, Uint8Array>()
  FS.mkdir(mount)
  FS.mount(new DiskView(FS, read), { root }, mount)
  try {
    const handle = MjModel.from_xml_path(`${mount}/${relative(root, path).split(sep).join('/')}`)
    return { handle, files: [...read.keys()], sha256: digest(path, read) }
  } catch (error) {
    mujoco.unwind()
    throw new HatrpoError(`model ${path} does not compile: ${oneLine(error, mount, root)}`, { cause: error })
  } finally {
    FS.unmount(mount)
    FS.rmdir(mount)
  }
}

/** MuJoCo's message without its prefixes, with the disk's own paths. */
function oneLine(error: unknown, mount: string, root: string): string {
  return (error instanceof Error ? error.message : String(error))
    .replace(/^MuJoCo Error: /, '')
    .replace(/^Loading error: /, '')
    .replaceAll(`${mount}/`, root)
    .replace(/\s+/g, ' ')
    .trim()
}

function digest(path: string, read: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256')
  const places = [...read].map(([file, bytes]) => ({ place: placeOf(file, path), bytes }))
  places.sort((a, b) => (a.place < b.place ? -1 : 1))
  for (const { place, bytes } of places) hash.update(JSON.stringify([place, bytes.length])).update(bytes)
  return hash.digest('hex')
}

/** Path of a file relative to the model; empty for the model itself, whose name does not matter. */
function placeOf(file: string, model: string): string {
  return file === model ? '' : relative(join(model, '..'), file).split(sep).join('/')
}

/** A file system of Emscripten's that shows the machine's disk from a root on, for reading. */
class DiskView {
  readonly #FS: Mujoco['api']['FS']
  readonly #read: Map<string, Uint8Array>

  /** @param read gets every file that is opened */
  constructor(FS: Mujoco['api']['FS'], read: Map<string, Uint8Array>) {
    this.#FS = FS
    this.#read = read
  }

  mount({ opts }: { opts: { root: string } }): Node {
    return this.#node(null, '/', DIRECTORY, opts.root)
  }

  #node(parent: Node | null, name: string, mode: number, path: string): Node {
    const node = this.#FS.createNode(parent, name, mode, 0) as Node
    node.path = path
    node.node_ops = { lookup: this.#lookup, getattr: this.#getattr }
    node.stream_ops = { open: this.#open, read: this.#readInto, llseek: this.#seek }
    return node
  }

  readonly #lookup = (parent: Node, name: string): Node => {
    const path = join(parent.path, name)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) throw new this.#FS.ErrnoError(NO_ENTRY)
    return this.#node(parent, name, found.isDirectory() ? DIRECTORY : FILE, path)
  }

  readonly #getattr = (node: Node): object => {
    const { size, atime, mtime, ctime }: Stats = statSync(node.path)
    const blocks = Math.ceil(size / BLOCK)
    const owner = { dev: 1, ino: node.id, nlink: 1, uid: 0, gid: 0, rdev: 0 }
    return { ...owner, mode: node.mode, size, atime, mtime, ctime, blksize: BLOCK, blocks }
  }

  readonly #open = (stream: Stream): void => {
    if (this.#FS.isDir(stream.node.mode)) return
    stream.bytes = readFileSync(stream.node.path)
    this.#read.set(stream.node.path, stream.bytes)
  }

  readonly #readInto = (
    { bytes }: Stream,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number => {
    const part = bytes.subarray(position, position + length)
    buffer.set(part, offset)
    return part.length
  }

  readonly #seek = (stream: Stream, offset: number, whence: number): number => {
    const from = whence === SEEK_CURRENT ? stream.position : whence === SEEK_END ? stream.bytes.length : 0
    if (from + offset < 0) throw new this.#FS.ErrnoError(INVALID)
    return from + offset
  }
}
