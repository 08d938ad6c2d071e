import { HatrpoError, usageError } from '../errors.js'
import type { BundledSource } from './bundle-source.js'
import { thrownLine } from '../text/thrown.js'

/** Node's own modules, asked of the process where they are used: pages import this file too, and do not come there. */
const node = {
  crypto: () => process.getBuiltinModule('node:crypto'),
  fs: () => process.getBuiltinModule('node:fs'),
  path: () => process.getBuiltinModule('node:path'),
  url: () => process.getBuiltinModule('node:url'),
}

/** A module of the user's own, imported. */
export interface ImportedSource {
  /** Absolute path of the file; of a package, its entry file. */
  readonly path: string
  /** Its exports. */
  readonly module: Readonly<Record<string, unknown>>
  /**
   * SHA-256, in hexadecimal, of the file and of every file that it imports by a relative path, with their places
   * relative to it. Its own name, packages, and files that it reads as data are not part of it.
   */
  readonly sha256: string
}

/** Bundled by this thread, or handed to it; by key. */
const bundled = new Map<string, BundledSource>()
const adopted = new Map<string, BundledSource>()
/** Imported by this thread, by path and digest, so that the same content is one module as with any import. */
const imported = new Map<string, Promise<ImportedSource['module']>>()

/** Ends of the names of files that can be imported. */
const MODULE = /\.([cm]?[jt]sx?|json)$/

/** Whether an id names a file (`./my-env.ts`, `game.json`, an absolute path, a file: URL) rather than a package. */
export function isFileId(id: string): boolean {
  if (id.startsWith('npm:')) return false
  return /^(\.{0,2}\/|\.{1,2}\\|[A-Za-z]:[\\/]|file:)/.test(id) || MODULE.test(id)
}

/** The id of a package, `npm:my-envs/cheetah`, from one with or without npm:. */
export function packageId(id: string): string {
  return id.startsWith('npm:') ? id : `npm:${id}`
}

/** Whether the package that an id names, or that a module it names is in, is installed for the working directory. */
export function isInstalled(id: string): boolean {
  const name = /^npm:((?:@[\w.~-]+\/)?[\w~-][\w.~-]*)(?:\/[\w.~-]+)*$/.exec(packageId(id))?.[1]
  if (name === undefined) return false
  const { existsSync } = node.fs()
  const { dirname, join } = node.path()
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true
    if (folder === dirname(folder)) return false
  }
}

/**
 * Imports a module of the user's own: a JavaScript or TypeScript file, or an installed package, found from the working
 * directory. Works alike on every engine and in every thread.
 *
 * TypeScript is translated, not checked. Relative imports, TypeScript among them, are bundled with the file; packages are
 * imported from where the file would find them; `hatrpo` and its entry points are always this package.
 * `import.meta.url`, `import.meta.dirname`, `__dirname` and their kin are those of the file that uses them. The same
 * content is imported once per thread; after a change, a call gives the new module. Worker threads of a pool import what
 * the thread that started the pool has bundled (`bundledSources`), whatever has become of the file since.
 *
 * @param id path of a file, file: URL, or name of a package, also as `npm:name`
 * @param what how errors call it
 * @throws HatrpoError in one line: no such file or package, a syntax error with file:line:column, an import that is not
 *   there, or what the module throws when it is imported
 */
export async function importSource(id: string, what = 'environment'): Promise<ImportedSource> {
  const source = await bundledSource(id, what)
  const { path, sha256 } = source
  const name = `${path}\n${sha256}`
  let loading = imported.get(name)
  if (loading === undefined) {
    loading = importBundle(source, what)
    imported.set(name, loading)
    // A module that could not be imported is tried again.
    loading.catch(() => imported.delete(name))
  }
  return { path, module: await loading, sha256 }
}

/**
 * Checks that there is the file or package that an id names.
 * @throws HatrpoError (exit code 2)
 */
export function assertSourceExists(id: string, what = 'environment'): void {
  if (!isFileId(id)) {
    if (isInstalled(id)) return
    throw usageError(`${what} ${id}: no package of that name is installed for ${process.cwd()}`)
  }
  const path = filePath(id)
  const { existsSync, statSync } = node.fs()
  if (!existsSync(path)) throw usageError(`${what} ${id}: there is no file ${path}`)
  if (!statSync(path).isFile()) throw usageError(`${what} ${id}: ${path} is not a file`)
  const better = otherForm(id, what)
  if (better !== undefined) throw usageError(`${what} ${id}: ${better}`)
}

/** Ends of the names of files that an environment is made of, and how they are named. */
const OTHER_FORMS: Readonly<Record<string, (path: string) => string>> = {
  '.py': (path) => `it is a Python file: name it as pettingzoo:${path}:FACTORY`,
  '.xml': (path) => `it is a model: name it as --env mamujoco/custom --set env.model=${path}`,
}

/** Id for a file that is not a module. */
function otherForm(path: string, what = 'environment'): string | undefined {
  const ending = node.path().extname(path).toLowerCase()
  if (ending === '' || MODULE.test(ending)) return undefined
  const form = what === 'environment' ? OTHER_FORMS[ending]?.(path) : undefined
  return form ?? `it ends in ${ending}: it must be a .ts, .js or .json file`
}

/** Correct id for a file or folder given as an id; undefined if there is none. */
export function misnamed(id: string): string | undefined {
  if (id === '' || typeof process === 'undefined') return undefined
  const found = node.fs().statSync(id, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (found.isDirectory()) return 'it is a folder: name a file in it'
  return otherForm(id) ?? `it is a file: name it as ./${id}`
}

/**
 * The function that a module exports by default.
 * @param form what it must be, for the error: `(options) => environment`
 * @throws HatrpoError (exit code 2) when there is none
 */
export function defaultFunction(
  { path, module }: ImportedSource,
  what: string,
  form: string,
): (...args: never[]) => unknown {
  let make = module['default']
  // Of a CommonJS module that was compiled from an ES module.
  if (typeof make === 'object' && make !== null && '__esModule' in make && 'default' in make)
    make = make.default
  if (typeof make === 'function') return make as (...args: never[]) => unknown
  const exported = Object.keys(module).filter((name) => name !== 'default')
  const found =
    make === undefined
      ? `it has no default export${exported.length > 0 ? ` (it exports ${exported.join(', ')})` : ''}`
      : `its default export is ${make === null ? 'null' : typeof make}`
  throw usageError(`${what} ${path}: ${found}: it must export by default a function ${form}`)
}

/** The digest of an environment's code and of the other files that it was made of, if there are such. */
export function combineDigests(code: string, data: string | undefined): string {
  if (data === undefined) return code
  return node.crypto().createHash('sha256').update(`${code} ${data}`).digest('hex')
}

/** The modules that this thread has bundled so far, for the threads that it starts. */
export function bundledSources(): readonly BundledSource[] {
  return [...new Set([...adopted.values(), ...bundled.values()])]
}

/** Makes `importSource` import these sources instead of the present files. */
export function adoptSources(sources: readonly BundledSource[]): void {
  for (const source of sources) {
    adopted.set(source.key, source)
    // A file may also be called by its real path, where the key leads over a link.
    if (isFileId(source.key)) adopted.set(source.path, source)
  }
}

async function bundledSource(id: string, what: string): Promise<BundledSource> {
  const key = keyOf(id)
  const known = adopted.get(key)
  if (known) return known
  assertSourceExists(id, what)
  // Loaded only by those who need it.
  const { bundleSource } = await import('./bundle-source.js')
  const source = await bundleSource(key, what)
  bundled.set(key, source)
  return source
}

/** Key of an id, independent of the folder that it is used in: an absolute path, or the package's name with npm:. */
function keyOf(id: string): string {
  return isFileId(id) ? filePath(id) : packageId(id)
}

function filePath(id: string): string {
  return id.startsWith('file:') ? node.url().fileURLToPath(id) : node.path().resolve(id)
}

async function importBundle(source: BundledSource, what: string): Promise<ImportedSource['module']> {
  const { path } = source
  const { importCode } = await import('./import-bundle.js')
  try {
    return await importCode(source)
  } catch (error) {
    if (error instanceof HatrpoError) throw error
    const message = thrownLine(error)
    throw new HatrpoError(`${what} ${path} cannot be imported: ${message}`, { cause: error })
  }
}
