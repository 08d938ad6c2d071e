// Builds everything that runs: AssemblyScript modules, then TypeScript, into dist/. Modules whose sources are those of the
// build before, and TypeScript that has not changed, are not compiled again.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'
import { build } from 'esbuild'
import { writeAssembly } from './assembly.mjs'
import { joinModules } from './join-modules.mjs'
import { joinPages } from './join-pages.mjs'
import { functionsWithVectors } from './signatures.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => `${root}node_modules/${name}`

/** Runs the compiler of TypeScript, in Go, whose collector takes less time when it may use more memory. */
function run(script, args) {
  const env = { GOGC: '400', ...process.env }
  const { status } = spawnSync(process.execPath, [bin(script), ...args], { cwd: root, stdio: 'inherit', env })
  if (status !== 0) process.exit(status ?? 1)
}

/** Runs the AssemblyScript compiler here: a process for each module would load and warm up the compiler again. */
async function compileAssembly(args) {
  const { error } = await asc.main(['--baseDir', root, ...args], {
    stdout: process.stdout,
    stderr: process.stderr,
  })
  if (error) process.exit(1)
}

await writeAssembly(root)
mkdirSync(`${root}dist/assembly`, { recursive: true })
/** Options of the kernels, whose functions take and return no vectors. */
const kernels = (wide) => ['--transform', `${root}scripts/inline-vectors.mjs`, '--use', `WIDE=${wide}`]
/** Modules with their source, which is also their target in asconfig.json, and further options of the compiler. */
const modules = {
  kernels: ['kernels', ...kernels(0)],
  'kernels-wide': ['kernels', ...kernels(1)],
  stepper: ['stepper'],
  policy: ['policy'],
  'policy-bounded': ['policy-bounded'],
  'policy-choice': ['policy-choice'],
  peak: ['peak'],
}
const digest = assemblyDigest()
const digestFile = `${root}dist/assembly.sha256`
const isCurrent = existsSync(digestFile) && readFileSync(digestFile, 'utf8') === digest
for (const [name, [target, ...options]] of Object.entries(modules)) {
  if (isCurrent && existsSync(`${root}dist/assembly/${name}.wasm`)) continue
  await compileAssembly([
    `assembly/${target}.ts`,
    '--config',
    'asconfig.json',
    '--target',
    target,
    '--outFile',
    `dist/assembly/${name}.wasm`,
    ...options,
  ])
  if (target === 'kernels') expectNoVectors(name)
}
writeFileSync(digestFile, digest)
// Further checkers would each check again the types that the files share.
run('typescript-7/bin/tsc', ['-p', 'tsconfig.json', '--checkers', '1'])
await bundleZod()
await bundlePage('watch')
await joinModules(root)
await joinPages(root)
await writeConfigSchema()
for (const path of readdirSync(`${root}src`, { recursive: true }).filter((name) => name.endsWith('.py')))
  cpSync(`${root}src/${path}`, `${root}dist/src/${path}`)
for (const folder of ['src', 'workers', 'test', 'bench', 'examples', 'scripts']) removeStale(folder)

/** SHA-256 of everything that the modules are made from. */
function assemblyDigest() {
  const sources = readdirSync(`${root}assembly`, { recursive: true }).filter((name) => name.endsWith('.ts'))
  const files = [
    ...sources.sort().map((name) => `assembly/${name}`),
    ...['asconfig.json', 'node_modules/assemblyscript/package.json'],
    ...['build', 'inline-vectors', 'signatures'].map((name) => `scripts/${name}.mjs`),
  ]
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(`${root}${file}`))
  return hash.digest('hex')
}

/** Stops the build if a function of a module takes or returns v128, at which V8 stops with 256-bit vectors on. */
function expectNoVectors(name) {
  const found = functionsWithVectors(readFileSync(`${root}dist/assembly/${name}.wasm`))
  if (found.length === 0) return
  console.error(`${name}.wasm: functions ${found.join(', ')} take or return v128, which must be inlined`)
  process.exit(1)
}

/** Puts the part of zod that is used into one file, with its licence. */
async function bundleZod() {
  const licence = readFileSync(bin('zod/LICENSE'), 'utf8').trim()
  await build({
    entryPoints: [`${root}src/config/zod.ts`],
    outfile: `${root}dist/src/config/zod.js`,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    banner: { js: `/*! zod\n\n${licence} */` },
    logLevel: 'error',
  })
}

/** Writes the JSON Schema of configuration files with the compiled code. */
async function writeConfigSchema() {
  const { configJsonSchema } = await import('../dist/scripts/docs/json-schema.js')
  writeFileSync(`${root}dist/config.schema.json`, `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
}

/** Puts a page of the command into dist/web: its script and its style sheet, each with the charting library and its licence. */
async function bundlePage(name) {
  const licence = `/*! uPlot\n\n${readFileSync(bin('uplot/LICENSE'), 'utf8').trim()} */`
  await build({
    entryPoints: ['ts', 'css', 'html', 'svg'].map((type) => `${root}src/web/${name}-page.${type}`),
    outdir: `${root}dist/web`,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    loader: { '.html': 'copy', '.svg': 'copy' },
    banner: { js: licence, css: licence },
    logLevel: 'error',
  })
}

/** Removes compiled files without a source, which would otherwise be packed and tested. */
function removeStale(folder) {
  if (!existsSync(`${root}dist/${folder}`)) return
  for (const name of readdirSync(`${root}dist/${folder}`, { recursive: true })) {
    const source = name.replace(/(?:\.d\.ts|\.js)$/, '.ts')
    if (/\.(ts|py)$/.test(source) && !existsSync(`${root}${folder}/${source}`))
      rmSync(`${root}dist/${folder}/${name}`, { force: true })
  }
}
