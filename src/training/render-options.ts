import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { View } from '../envs/scene.js'
import { usageError } from '../errors.js'

export interface RenderOptions {
  /** Run folder or exported bundle. */
  readonly source: string
  /** Picture: a `.gif`, a `.png` of one moment, or a folder for a `.png` of every moment. */
  readonly out?: string
  /** File of everything that was seen and done: `.npz` or `.jsonl`. */
  readonly trajectory?: string
  /** Default: 1. */
  readonly episodes?: number
  /** Default: 1. Episodes are those of `evaluate` with the same seed. */
  readonly seed?: number
  /** Checkpoint of a run that provides the policies; `latest` by default. */
  readonly checkpoint?: 'latest' | 'best' | number
  /** Present location of the environment, whose code must be that of the training. */
  readonly env?: string
  /** Direction of the camera, in degrees; that of the environment by default. */
  readonly view?: View
  /** Pixels; 640 x 360 by default. */
  readonly width?: number
  readonly height?: number
  /** Simulated seconds of each episode that are drawn; 10 by default. Trajectories and returns are of whole episodes. */
  readonly seconds?: number
  /** Most pictures for a second of simulated time; 25 by default. */
  readonly fps?: number
  /** Simulated seconds of a `.png` after the start of the first episode; by default the middle of the drawn part. */
  readonly at?: number
  /** Threads that draw; one a processor by default. The result does not depend on it. */
  readonly workers?: number
  onEvent?(message: string): void
  /** Told how many pictures are drawn. */
  onPicture?(done: number, count: number): void
}

/** A file or a folder that was written. */
export interface RenderedFile {
  readonly path: string
  readonly bytes: number
  /** Pictures in it; absent for trajectories. */
  readonly pictures?: number
  /** Pictures a second, where they are equally long. */
  readonly rate?: number
}

export interface RenderResult {
  readonly env: string
  /** Return of each episode, in order. */
  readonly returns: readonly number[]
  readonly mean: number
  /** Population standard deviation. */
  readonly sd: number
  readonly files: readonly RenderedFile[]
}

export const DEFAULTS = { episodes: 1, seed: 1, width: 640, height: 360, seconds: 10, fps: 25 } as const

/**
 * Tries to write beside a file, before anything is computed that could not be written.
 * @throws HatrpoError (exit code 2) where that fails
 */
export function expectWritable(path: string): void {
  const folder = dirname(path)
  if (!existsSync(folder))
    throw usageError(`cannot write ${JSON.stringify(path)}: there is no folder ${folder}`)
  if (existsSync(path) && !statSync(path).isFile())
    throw usageError(`cannot write ${JSON.stringify(path)}: there is something else of that name`)
  const beside = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(beside, '')
    rmSync(beside)
  } catch (error) {
    // Node's message ends with the name of the file beside.
    const reason = (error as Error).message.replace(/, \w+ '.*'$/s, '')
    throw usageError(`cannot write ${JSON.stringify(path)}: ${reason}`)
  }
}
