import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, extname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  build,
  type ImportKind,
  type Loader,
  type Message,
  type OnLoadResult,
  type OnResolveArgs,
  type OnResolveResult,
  type PluginBuild,
} from 'esbuild'
import { HatrpoError, usageError } from '../errors.js'
import { CODE } from '../place.js'

/** A user's module and its relative imports, as one ES module. Plain data that can be posted to threads. */
export interface BundledSource {
  /** Absolute path of a file, or `npm:` and the name of a package. */
  readonly key: string
  /** Absolute path of the entry file. */
  readonly path: string
  /** Of the files that are bundled; see `ImportedSource`. */
  readonly sha256: string
  /** JavaScript with a source map. Everything that it imports, it imports by URL. */
  readonly code: string
}

/** Files of this package, which are imported without bundling so that each exists once. */
const OWN = fileURLToPath(CODE)

/** The package's entry points, as package.json names them, and their files from the folder of the code. */
const ENTRY_POINTS: Readonly<Record<string, string>> = {
  '.': './index.js',
  './env': './envs/index.js',
  './runtime': '../src/runtime/index.js',
}

/** Expressions for a module's own place, and the constants that replace them in the bundle. */
const PLACES = {
  'import.meta.url': '__hatrpo_url',
  'import.meta.filename': '__hatrpo_filename',
  'import.meta.dirname': '__hatrpo_dirname',
  __filename: '__hatrpo_filename',
  __dirname: '__hatrpo_dirname',
}

const LOADERS: Readonly<Record<string, Loader>> = {
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
}

/** Marks resolutions requested by the bundling itself. */
const ASKED = { asked: true }

/**
 * Bundles a user's module with its relative imports.
 * @param key absolute path of a file, or `npm:` and the name of a package, found from the working directory
 * @param what name of the module in errors
 * @throws HatrpoError in one line for a syntax error or a missing import
 */
export async function bundleSource(key: string, what: string): Promise<BundledSource> {
  return new Bundling(key).run(what)
}

class Bundling {
  readonly #key: string
  /** Specifier of the entry in an import, and the folder of that import. */
  readonly #specifier: string
  readonly #folder: string
  #entry: string
  readonly #files = new Map<string, { readonly bytes: Uint8Array; readonly prefix: number }>()

  constructor(key: string) {
    const isPackage = key.startsWith('npm:')
    this.#key = key
    this.#specifier = isPackage ? key.slice('npm:'.length) : key
    this.#folder = isPackage ? process.cwd() : dirname(key)
    this.#entry = this.#specifier
  }

  async run(what: string): Promise<BundledSource> {
    try {
      const { outputFiles } = await build({
        entryPoints: [this.#specifier],
        absWorkingDir: this.#folder,
        outfile: join(this.#folder, 'bundle.mjs'),
        write: false,
        bundle: true,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        // Node's own conditions; esbuild would add those of bundlers.
        conditions: [],
        mainFields: ['main'],
        define: PLACES,
        banner: { js: requireFrom(join(this.#folder, 'bundle.mjs')) },
        sourcemap: 'inline',
        sourcesContent: false,
        sourceRoot: pathToFileURL(this.#folder + sep).href,
        logLevel: 'silent',
        plugins: [{ name: 'hatrpo', setup: (context) => this.#setUp(context) }],
      })
      return { key: this.#key, path: this.#entry, sha256: this.#sha256(), code: outputFiles[0].text }
    } catch (error) {
      throw this.#failure(error, what)
    }
  }

  #setUp(context: PluginBuild): void {
    context.onResolve({ filter: /.*/ }, (args) => {
      if (args.pluginData === ASKED) return undefined
      return args.kind === 'entry-point' ? this.#resolveEntry(context) : this.#resolve(context, args)
    })
    context.onLoad({ filter: /.*/ }, ({ path }) => this.#load(path))
  }

  async #resolveEntry(context: PluginBuild): Promise<OnResolveResult> {
    const asked = { kind: 'import-statement', resolveDir: this.#folder, pluginData: ASKED } as const
    const { errors, path } = await context.resolve(this.#specifier, asked)
    if (errors.length > 0) {
      return { errors: [{ text: 'the installed package has no such module to import' }] }
    }
    this.#entry = path
    return { path }
  }

  async #resolve(
    context: PluginBuild,
    { path: specifier, kind, ...from }: OnResolveArgs,
  ): Promise<OnResolveResult> {
    if (/^hatrpo(\/|$)/.test(specifier)) return ownEntryPoint(specifier, kind)
    if (/^(node|bun|data|https?):/.test(specifier)) return { path: specifier, external: true }
    if (specifier.startsWith('file:')) return external(fileURLToPath(specifier), kind)
    const { importer, resolveDir } = from
    const found = await context.resolve(specifier, { kind, importer, resolveDir, pluginData: ASKED })
    if (found.errors.length > 0) {
      const isPath = /^\.{0,2}\//.test(specifier)
      return {
        errors: [
          { text: isPath ? `there is no file ${specifier}` : `no package ${specifier} is installed here` },
        ],
      }
    }
    if (found.external) return { path: found.path, external: true }
    const foreign = packageOf(found.path) !== '' && packageOf(found.path) !== packageOf(importer)
    return foreign || found.path.startsWith(OWN) ? external(found.path, kind) : { path: found.path }
  }

  async #load(path: string): Promise<OnLoadResult> {
    const bytes = await readFile(path)
    const loader = LOADERS[extname(path)]
    const text = bytes.toString('utf8')
    const prefix =
      loader !== undefined && /import\.meta|__dirname|__filename/.test(text) ? placesOf(path) : ''
    this.#files.set(path, { bytes, prefix: prefix.length })
    if (loader === undefined) return { contents: bytes, loader: 'default' }
    // A #! is a comment in the first place of a file only.
    return { contents: prefix + text.replace(/^#!/, '//'), loader }
  }

  /**
   * Of the files' places, relative to the entry, and contents: neither where the whole lies matters, nor how the entry is
   * called.
   */
  #sha256(): string {
    const hash = createHash('sha256')
    const place = (path: string) =>
      path === this.#entry ? '' : relative(dirname(this.#entry), path).split(sep).join('/')
    for (const [path, { bytes }] of [...this.#files].sort(([a], [b]) => (place(a) < place(b) ? -1 : 1))) {
      hash.update(`${place(path)}\n${bytes.length}\n`).update(bytes)
    }
    return hash.digest('hex')
  }

  /** One line for what esbuild found wrong. */
  #failure(error: unknown, what: string): HatrpoError {
    const first = (error as { errors?: Message[] }).errors?.[0]
    if (!first) {
      const message = error instanceof Error ? error.message : String(error)
      return new HatrpoError(`${what} ${this.#specifier}: esbuild failed: ${message.split('\n')[0]}`, {
        cause: error,
      })
    }
    const { text, location } = first
    if (!location) return usageError(`${what} ${this.#specifier}: ${text}`)
    const file = resolve(this.#folder, location.file)
    const prefix = location.line === 1 ? (this.#files.get(file)?.prefix ?? 0) : 0
    const place = `${file}:${location.line}:${location.column - prefix + 1}`
    return usageError(`${what} ${file === this.#entry ? '' : `${this.#entry}: `}${place}: ${text}`)
  }
}

/** Target of `import 'hatrpo/env'`: this package, also if another version is installed beside the user's file. */
function ownEntryPoint(specifier: string, kind: ImportKind): OnResolveResult {
  const name = specifier.replace(/^hatrpo/, '.')
  if (Object.hasOwn(ENTRY_POINTS, name))
    return external(fileURLToPath(new URL(ENTRY_POINTS[name], CODE)), kind)
  return {
    errors: [
      {
        text: `${specifier} is not an entry point of this package: there are hatrpo, hatrpo/env and hatrpo/runtime`,
      },
    ],
  }
}

/** An import that the bundle makes when it runs, independent of where the bundle lies. */
function external(path: string, kind: ImportKind): OnResolveResult {
  const isRequire = kind === 'require-call' || kind === 'require-resolve'
  return { path: isRequire ? path : pathToFileURL(path).href, external: true }
}

/** The folder of the installed package that a file belongs to; empty for files of the user's own. */
function packageOf(path: string): string {
  return /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0] ?? ''
}

/** A `require` for CommonJS files of the bundle. */
function requireFrom(path: string): string {
  const from = JSON.stringify(pathToFileURL(path).href)
  return `import { createRequire as __hatrpo_require } from 'node:module'; const require = __hatrpo_require(${from});`
}

/** Declares the constants of PLACES for a file, in front of its first line. */
function placesOf(path: string): string {
  const values = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }
  return Object.entries(values)
    .map(([name, value]) => `const __hatrpo_${name}=${JSON.stringify(value)};`)
    .join('')
}
