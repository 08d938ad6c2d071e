import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { HatrpoError } from '../errors.js'
import { makeFolders, syncFolder, writeSynced } from '../files.js'
import { writing } from './disk.js'
import { decodeSafetensors, encodeSafetensors, type Tensor, type TensorArray } from './safetensors.js'
import { firstNonFinite, sha256 } from './sha256.js'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** State that training needs to continue. */
export interface CheckpointData {
  /**
   * Arrays by name, `file/name`: `actors/agent_0` is the tensor `agent_0` of `actors.safetensors`.
   * Floating-point values must be finite.
   */
  readonly tensors: Readonly<Record<string, TensorArray>>
  /** Counters and the like. Numbers must be finite; JSON keeps their 53 bits exactly. */
  readonly state: Json
}

/** Description of a checkpoint, without its tensors. */
export interface CheckpointInfo {
  readonly iteration: number
  /** Steps of all environments up to it. */
  readonly steps: number
  /** Mean return of the evaluation made at this iteration, if one was. */
  readonly evaluation: number | null
  /** `configSha256` of the run. */
  readonly configSha256: string
  readonly packageVersion: string
}

export interface Checkpoint extends CheckpointInfo, CheckpointData {
  readonly path: string
}

export interface BestCheckpoint {
  readonly iteration: number
  /** Mean return. */
  readonly evaluation: number
}

interface StoredState {
  readonly format: 1
  readonly info: CheckpointInfo
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>
  readonly state: Json
}

const TEMPORARY = '.new-'
const RETIRED = '.old-'

/** `checkpoints/000120` */
export function checkpointPath(runDir: string, iteration: number): string {
  return join(runDir, 'checkpoints', String(iteration).padStart(6, '0'))
}

/** Iterations of the checkpoints in a run folder, ascending, damaged ones included. */
export function listCheckpoints(runDir: string): number[] {
  const dir = join(runDir, 'checkpoints')
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter((name) => /^\d{6,}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** Tensors by the file they belong in. */
function byFile(tensors: CheckpointData['tensors']): Map<string, Record<string, Tensor>> {
  const files = new Map<string, Record<string, Tensor>>()
  for (const [path, data] of Object.entries(tensors)) {
    const slash = path.indexOf('/')
    const file = path.slice(0, Math.max(slash, 0))
    if (!/^\w[\w-]*$/.test(file) || slash === path.length - 1)
      throw new HatrpoError(`checkpoint tensor ${JSON.stringify(path)}: its name must be file/name`)
    if (data instanceof Float32Array || data instanceof Float64Array) {
      const at = firstNonFinite(data)
      if (at >= 0) throw new HatrpoError(`checkpoint tensor ${path}[${at}] is ${data[at]}: it must be finite`)
    }
    const group = files.get(file) ?? (Object.create(null) as Record<string, Tensor>)
    group[path.slice(slash + 1)] = { shape: [data.length], data }
    files.set(file, group)
  }
  return files
}

/** JSON of a checkpoint's state; JSON itself would turn a NaN into null in silence. */
function stateText(state: StoredState): string {
  return JSON.stringify(state, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new HatrpoError(`checkpoint state ${key} is ${value}: it must be finite`)
    return value
  })
}

/**
 * Writes a checkpoint under a temporary name, syncs it to the disk and renames it, so that a folder with a final name
 * is complete whenever the process or the machine stops.
 * @throws HatrpoError for values that are not finite, and on a full disk; earlier checkpoints remain unchanged
 */
export function writeCheckpoint(runDir: string, info: CheckpointInfo, data: CheckpointData): void {
  const groups = byFile(data.tensors)
  const files = new Map([...groups].map(([name, group]) => [`${name}.safetensors`, encodeSafetensors(group)]))
  const sums: StoredState['files'] = Object.fromEntries(
    [...files].map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]),
  )
  const text = stateText({ format: 1, info, files: sums, state: data.state })
  files.set(
    'state.json',
    Buffer.from(`${JSON.stringify({ sha256: sha256(text) }).slice(0, -1)},"body":${text}}`),
  )

  const final = checkpointPath(runDir, info.iteration)
  const parent = join(runDir, 'checkpoints')
  const beside = join(parent, `${TEMPORARY}${info.iteration}`)
  writing(beside, () => {
    try {
      rmSync(beside, { recursive: true, force: true })
      makeFolders(beside)
      for (const [name, bytes] of files) writeSynced(join(beside, name), bytes)
      syncFolder(beside)
      if (existsSync(final)) removeCheckpoint(runDir, info.iteration)
      renameSync(beside, final)
      syncFolder(parent)
    } catch (error) {
      rmSync(beside, { recursive: true, force: true })
      throw error
    }
  })
}

/** The checked body of a state.json, undefined when it is torn or was changed. */
function parseStored(text: string): StoredState | undefined {
  try {
    const stored = JSON.parse(text) as { sha256: string; body: StoredState }
    return sha256(JSON.stringify(stored.body)) === stored.sha256 ? stored.body : undefined
  } catch {
    return undefined
  }
}

function readStored(path: string): StoredState {
  const stored = parseStored(readPart(path, 'state.json').toString('utf8'))
  if (!stored) throw damaged(path, 'state.json is torn or was changed')
  if (stored.format !== 1) throw damaged(path, `its format ${JSON.stringify(stored.format)} is not 1`)
  return stored
}

/** Content of a file of a checkpoint. */
function readPart(path: string, name: string): Buffer {
  try {
    return readFileSync(join(path, name))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw damaged(path, `${name} ${code === 'ENOENT' ? 'is missing' : `cannot be read (${code ?? message})`}`)
  }
}

function damaged(path: string, reason: string): HatrpoError {
  return new HatrpoError(`checkpoint ${path} is damaged: ${reason}`)
}

/** Description of the checkpoint in a folder. @throws HatrpoError when state.json is damaged */
export function readCheckpointInfo(runDir: string, iteration: number): CheckpointInfo {
  return readStored(checkpointPath(runDir, iteration)).info
}

/** Reads a checkpoint and checks every file. @throws HatrpoError naming the damaged file */
export function readCheckpoint(runDir: string, iteration: number): Checkpoint {
  const path = checkpointPath(runDir, iteration)
  const { info, files, state } = readStored(path)
  const tensors: Record<string, TensorArray> = {}
  for (const [name, sum] of Object.entries(files)) {
    const bytes = readPart(path, name)
    if (bytes.length !== sum.bytes || sha256(bytes) !== sum.sha256)
      throw damaged(path, `${name} is torn or was changed`)
    const group = name.slice(0, name.lastIndexOf('.'))
    for (const [tensor, { data }] of Object.entries(decodeSafetensors(bytes, join(path, name)).tensors))
      tensors[`${group}/${tensor}`] = data
  }
  return { ...info, path, tensors, state }
}

/** Deletes a checkpoint; renamed first, so that no half-deleted one keeps a checkpoint's name. */
function removeCheckpoint(runDir: string, iteration: number): void {
  const retired = join(runDir, 'checkpoints', `${RETIRED}${iteration}`)
  rmSync(retired, { recursive: true, force: true })
  renameSync(checkpointPath(runDir, iteration), retired)
  rmSync(retired, { recursive: true, force: true })
}

/** Removes remains of interrupted writes and deletions. */
export function cleanCheckpoints(runDir: string): void {
  const dir = join(runDir, 'checkpoints')
  if (!existsSync(dir)) return
  for (const name of readdirSync(dir))
    if (name.startsWith(TEMPORARY) || name.startsWith(RETIRED)) rmSync(join(dir, name), { recursive: true })
}

/**
 * Deletes all checkpoints but the last two, the best, and those whose iteration `keepEvery` divides.
 *
 * @param best iteration of the checkpoint with the best evaluation
 * @param keepEvery 0 for none
 */
export function pruneCheckpoints(runDir: string, best: number | undefined, keepEvery: number): void {
  const iterations = listCheckpoints(runDir)
  const last = iterations.slice(-2)
  for (const iteration of iterations) {
    const kept =
      last.includes(iteration) || iteration === best || (keepEvery > 0 && iteration % keepEvery === 0)
    if (!kept) removeCheckpoint(runDir, iteration)
  }
}

/** Renames a damaged checkpoint, which remains beside the others for inspection. */
export function setAsideCheckpoint(runDir: string, iteration: number): void {
  const aside = `${checkpointPath(runDir, iteration)}.damaged`
  rmSync(aside, { recursive: true, force: true })
  renameSync(checkpointPath(runDir, iteration), aside)
}

/** The checkpoint whose evaluation was best, the earliest of equals; undefined when none was evaluated. */
export function bestCheckpoint(runDir: string): BestCheckpoint | undefined {
  let best: BestCheckpoint | undefined
  for (const iteration of listCheckpoints(runDir)) {
    const info = readIntactInfo(runDir, iteration)
    if (!info || info.evaluation === null) continue
    if (!best || info.evaluation > best.evaluation) best = { iteration, evaluation: info.evaluation }
  }
  return best
}

function readIntactInfo(runDir: string, iteration: number): CheckpointInfo | undefined {
  try {
    return readCheckpointInfo(runDir, iteration)
  } catch {
    return undefined
  }
}
