import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import type { EnvConfig } from '../envs/index.js'
import { resolveEnv } from '../envs/portable.js'
import { usageError } from '../errors.js'
import { absoluteRuns, envFolders } from '../runs/stored-config.js'

/** Most bytes of a configuration file: hundreds of times those of the longest sensible one. */
const MOST_BYTES = 1024 * 1024

/** Names of standard input, which may be a pipe. */
const STANDARD_INPUT = new Set(['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'])

/** Milliseconds between two looks at a standard input that has nothing yet and does not wait itself. */
const POLL = 10

/** Reads the file of `--config`. @throws HatrpoError (exit code 2) when it cannot be read or is not JSON */
export function readConfigFile(path: string): unknown {
  let file: unknown
  const text = readText(path)
  try {
    file = JSON.parse(text)
  } catch (error) {
    throw wrong(path, `it is not JSON (${(error as Error).message})`)
  }
  const { env, about } = (file ?? {}) as { env?: unknown; about?: { envFolder?: string } }
  if (about === undefined) return file
  // The config.json of a run: its paths start from its folder, those of the environment from one that it names.
  const named = about.envFolder !== undefined && isEnvConfig(env)
  return {
    ...absoluteRuns(file as object, dirname(path)),
    ...(named && { env: resolveEnv(env, envFolders(dirname(path), about)) }),
  }
}

function isEnvConfig(env: unknown): env is EnvConfig {
  return typeof env === 'object' && env !== null && 'id' in env && typeof env.id === 'string'
}

function wrong(path: string, reason: string): Error {
  return usageError(`--config is ${JSON.stringify(path)}: ${reason}`)
}

/** Text of a regular file or of standard input: others may have no end, or never begin. */
function readText(path: string): string {
  const standard = STANDARD_INPUT.has(path)
  let bytes: Uint8Array
  try {
    if (!standard) expectRegular(path, statSync(path))
    const fd = standard ? 0 : openSync(path, 'r')
    try {
      bytes = readBytes(fd, MOST_BYTES + 1)
    } finally {
      if (!standard) closeSync(fd)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === undefined ? error : wrong(path, `it cannot be read (${message})`)
  }
  if (bytes.length > MOST_BYTES) throw wrong(path, `it must have at most ${MOST_BYTES} bytes`)
  return new TextDecoder().decode(bytes)
}

function expectRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return
  const kind = stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a pipe' : 'a device'
  throw wrong(path, `it is ${kind} and cannot be read: it must be a regular file, or - for standard input`)
}

/** Bytes up to the end of a file, or the first `most`. */
function readBytes(fd: number, most: number): Uint8Array {
  const bytes = new Uint8Array(most)
  for (let length = 0; ;) {
    const read = length < most ? readSome(fd, bytes.subarray(length)) : 0
    if (read === 0) return bytes.subarray(0, length)
    length += read
  }
}

function readSome(fd: number, into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, into)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL)
    }
  }
}
