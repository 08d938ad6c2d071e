import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { EnvConfig, EnvFactory } from './factory.js'
import { mapPythonPaths } from './pettingzoo/options.js'
import { isBuiltIn } from './registry.js'
import { isFileId } from './source.js'
import { CUSTOM_TEAM, CUSTOM_TEAM_FILES } from './team/options.js'

/** An environment's configuration whose paths start from a folder, as run folders and bundles keep it. */
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
 * Makes the absolute paths of an environment's configuration relative to one folder, so that what a project has made
 * can move with it and does not depend on where it lies.
 *
 * The folder is the working directory where it holds all of the environment's files, and otherwise the deepest folder
 * that does: files elsewhere have no place in the project that could be named without naming the machine's folders. An
 * interpreter outside of the folder belongs to the machine, and its path stays.
 * @param env as factories give it; paths that are relative already stay
 */
export function portableEnv(env: EnvConfig): PortableEnv {
  const absolute = pathsOf(env).filter(({ path }) => isAbsolute(path))
  if (absolute.length === 0) return { env, folder: undefined }
  const code = absolute.filter(({ kind }) => kind === 'code').map(({ path }) => dirname(path))
  const here = process.cwd()
  const folder = code.every((path) => isWithin(here, path)) ? here : deepestFolder(code)
  const portable = (path: string) =>
    isAbsolute(path) && isWithin(folder, path) ? `./${relative(folder, path).split(sep).join('/')}` : path
  return { env: mapPaths(env, portable), folder }
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

/**
 * An environment's configuration without interpreters that belong to the machine, which each host has its own of.
 * @param env portable
 */
export function withoutPrograms(env: EnvConfig): EnvConfig {
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
