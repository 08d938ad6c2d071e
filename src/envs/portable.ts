import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { EnvConfig, EnvFactory } from './factory.js'
import { isPettingZooId, mapPythonPaths } from './pettingzoo/options.js'
import { isBuiltIn } from './registry.js'
import { isFileId } from './source.js'
import { CUSTOM_TEAM, CUSTOM_TEAM_FILES } from './team/options.js'

/** An environment's configuration whose paths start from a folder, as run folders keep it. */
export interface PortableEnv {
  /** The paths in it begin with `./`. */
  readonly env: EnvConfig
  /** Absolute path of the folder; undefined where the configuration has no path. */
  readonly folder: string | undefined
}

/**
 * - `code`: a file of the environment, which moves with the project.
 * - `program`: an interpreter, which may belong to the machine.
 */
type PathKind = 'code' | 'program'

/** Replaces every path in an environment's configuration. */
function mapPaths(env: EnvConfig, map: (path: string, kind: PathKind) => string): EnvConfig {
  const python = mapPythonPaths(env, map)
  if (python) return python
  if (env.id === CUSTOM_TEAM) {
    const files = CUSTOM_TEAM_FILES.filter((key) => env[key] !== undefined)
    return { ...env, ...Object.fromEntries(files.map((key) => [key, map(String(env[key]), 'code')])) }
  }
  return isFileId(env.id) ? { ...env, id: map(env.id, 'code') } : env
}

/** The paths in an environment's configuration. */
function pathsOf(env: EnvConfig): { readonly path: string; readonly kind: PathKind }[] {
  const found: { path: string; kind: PathKind }[] = []
  mapPaths(env, (path, kind) => {
    found.push({ path, kind })
    return path
  })
  return found
}

/**
 * Makes the absolute paths of an environment's configuration relative to one folder, so that results of a project can
 * be moved with it and do not depend on its location. The folder is the working directory if it contains all files of
 * the environment, and otherwise the deepest folder that does. An interpreter outside of the folder belongs to the
 * machine and keeps its absolute path.
 * @param env configuration from a factory; relative paths are not changed
 */
export function portableEnv(env: EnvConfig): PortableEnv {
  const absolute = pathsOf(env).filter(({ path }) => isAbsolute(path))
  if (absolute.length === 0) return { env, folder: undefined }
  const code = absolute.filter(({ kind }) => kind === 'code').map(({ path }) => dirname(path))
  const here = process.cwd()
  const folder = code.every((path) => isWithin(here, path)) ? here : deepestFolder(code)
  return { env: relativeTo(folder, env), folder }
}

/** A configuration whose absolute paths within a folder start from it. */
function relativeTo(folder: string, env: EnvConfig): EnvConfig {
  return mapPaths(env, (path) =>
    isAbsolute(path) && isWithin(folder, path) ? `./${relative(folder, path).split(sep).join('/')}` : path,
  )
}

/**
 * An environment's configuration as a bundle has it: paths start from the deepest folder that holds all of the
 * environment's files, wherever training was started. An interpreter outside of that folder is left out: each host has
 * its own.
 * @param env as factories give it
 */
export function bundledEnv(env: EnvConfig): EnvConfig {
  const code = pathsOf(env).flatMap(({ path, kind }) =>
    kind === 'code' && isAbsolute(path) ? [dirname(path)] : [],
  )
  return code.length === 0 ? withoutPrograms(env) : withoutPrograms(relativeTo(deepestFolder(code), env))
}

/**
 * Makes the paths of a portable configuration absolute: relative to the first of some folders that holds all of its
 * files, or to the first folder where none does. Absolute paths stay.
 */
export function resolveEnv(env: EnvConfig, folders: readonly string[]): EnvConfig {
  const [first, ...others] = candidates(env, folders)
  return [first, ...others].find(hasFiles) ?? first
}

/**
 * The absolute forms of a portable configuration, of which all files exist.
 * @param folders where its paths may start from, the likeliest first
 */
export function findEnv(env: EnvConfig, folders: readonly string[]): EnvConfig[] {
  return candidates(env, folders).filter(hasFiles)
}

/**
 * A configuration of the same environment with a file of it at another place. Where it has several files, the others lie
 * as they did, seen from that one.
 * @param named the file: the model (.xml) or the reward of a team made of options; of a Python environment the .py
 *   file, also with `pettingzoo:` and the factory. Otherwise the new id
 */
export function placedEnv(env: EnvConfig, named: string): EnvConfig {
  if (env.id === CUSTOM_TEAM && named !== CUSTOM_TEAM) {
    const key = /\.xml$/i.test(named) ? 'model' : 'reward'
    const from = dirname(String(env[key]))
    return mapPaths(env, (path) =>
      path === env[key] ? resolve(named) : resolve(dirname(named), relative(from, path)),
    )
  }
  const python = /\.py$/.test(named)
    ? mapPythonPaths(env, (path, kind) => (kind === 'code' ? named : path))
    : undefined
  return python && !isPettingZooId(named) ? python : { ...env, id: named }
}

/** The paths in a configuration that start from a folder that it does not name. */
export function relativePaths(env: EnvConfig): string[] {
  return pathsOf(env)
    .map(({ path }) => path)
    .filter(isRelative)
}

/** Whether two configurations name the same environment: links to a file count as the file. */
export function isSameEnv(a: EnvConfig, b: EnvConfig): boolean {
  const [first, second] = [a, b].map((env) =>
    mapPaths(env, (path) => (existsSync(path) ? realpathSync(path) : path)),
  )
  const keys = Object.keys(first)
  return keys.length === Object.keys(second).length && keys.every((key) => first[key] === second[key])
}

/**
 * Name of an environment as a task: a built-in id, or the id in its spec. It does not depend on where files lie; of a
 * Python file there is the name.
 */
export function taskName({ config, spec }: Pick<EnvFactory, 'config' | 'spec'>): string {
  if (isBuiltIn(config.id)) return config.id
  return mapPythonPaths(config, (path) => basename(path))?.id ?? spec.id
}

/** A configuration without interpreters that belong to the machine. */
function withoutPrograms(env: EnvConfig): EnvConfig {
  const programs = pathsOf(env).filter(({ path, kind }) => kind === 'program' && isAbsolute(path))
  const keys = Object.keys(env).filter((key) => programs.some(({ path }) => path === env[key]))
  return Object.fromEntries(Object.entries(env).filter(([key]) => !keys.includes(key))) as EnvConfig
}

function candidates(env: EnvConfig, folders: readonly string[]): EnvConfig[] {
  const found = folders.map((folder) =>
    mapPaths(env, (path) => (isRelative(path) ? resolve(folder, path) : path)),
  )
  const texts = found.map((candidate) => JSON.stringify(candidate))
  return found.filter((_, index) => texts.indexOf(texts[index]) === index)
}

function isRelative(path: string): boolean {
  return /^\.{1,2}\//.test(path)
}

function hasFiles(env: EnvConfig): boolean {
  return pathsOf(env).every(({ path, kind }) => kind === 'program' || existsSync(path))
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`)
}

/** The deepest folder that holds all of some folders. */
function deepestFolder(folders: readonly string[]): string {
  let folder = folders[0]
  while (!folders.every((path) => isWithin(folder, path)) && folder !== dirname(folder))
    folder = join(folder, '..')
  return folder
}
