import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { box } from '../../src/envs/index.js'
import { adoptSources, bundledSources, defaultFunction, importSource } from '../../src/envs/source.js'
import { findHosts } from '../hosts/find.js'
import { temporaryDirectory } from '../runs/fixtures.js'

const SOURCE = new URL('../../src/envs/source.js', import.meta.url).href
const ROOT = process.cwd()

/** Writes files, by their paths, into a folder of the test's own. */
function project(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = temporaryDirectory(t)
  write(folder, files)
  return folder
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

/** Makes a folder the working directory while the test runs. */
function workIn(t: TestContext, folder: string): void {
  t.after(() => process.chdir(ROOT))
  process.chdir(folder)
}

/** Script for an engine: imports a file and prints its exports and digest as JSON. */
const printing = (path: string) =>
  `const { importSource } = await import(${JSON.stringify(SOURCE)})
const { module, sha256 } = await importSource(${JSON.stringify(path)})
console.log(JSON.stringify({ ...module, sha256 }))`

test('a TypeScript file is imported with its relative imports and its own URL', async (t) => {
  const folder = project(t, {
    'env.ts': `#!/usr/bin/env -S npx hatrpo train --env
import { box, type EnvSpec } from 'hatrpo/env'
import { createRequire } from 'node:module'
import settings from './settings.json' with { type: 'json' }
import { gain, place as below } from './parts/gain.js'
import legacy from './parts/legacy.cjs'
import { half } from '~/half'
enum Mode { Slow = 1, Fast }
const require = createRequire(import.meta.url)
const __dirname = import.meta.dirname
export const spec: Partial<EnvSpec> = { id: 'mine' }
export const found = { gain, half, below, legacy, settings, mode: Mode.Fast, sep: require('node:path').sep, __dirname }
export const place = [import.meta.url, import.meta.filename]
export { box }
export default (await Promise.resolve(gain)) satisfies number`,
    'parts/gain.ts': `export const gain: number = 3\nexport const place = import.meta.dirname`,
    'parts/legacy.cjs': `const { sep } = require('path')\nmodule.exports = [__dirname, __filename, sep]`,
    'settings.json': '{ "size": 4 }',
    'parts/half.ts': `export const half = 0.5`,
    'tsconfig.json': '{ "compilerOptions": { "paths": { "~/*": ["./parts/*"] } } }',
  })
  const path = join(folder, 'env.ts')
  const { module, ...source } = await importSource(path)
  const parts = join(folder, 'parts')
  assert.deepEqual(module['found'], {
    gain: 3,
    half: 0.5,
    below: parts,
    legacy: [parts, join(parts, 'legacy.cjs'), '/'],
    settings: { size: 4 },
    mode: 2,
    sep: '/',
    __dirname: folder,
  })
  assert.deepEqual(module['place'], [pathToFileURL(path).href, path])
  assert.equal(module['default'], 3)
  assert.equal(module['box'], box, 'there is one hatrpo')
  assert.deepEqual(source, { path, sha256: source.sha256 })
  assert.match(source.sha256, /^[0-9a-f]{64}$/)
  assert.deepEqual(readdirSync(folder).sort(), ['env.ts', 'parts', 'settings.json', 'tsconfig.json'])
})

test('every kind of JavaScript and TypeScript file, by relative path, absolute path and URL', async (t) => {
  const es = 'const made: number = 1\nexport default () => made'.replace(': number', '')
  const ts = 'const made: number = 1\nexport default (): number => made'
  const files = { 'a.js': es, 'a.mjs': es, 'a.ts': ts, 'a.mts': ts, 'a.tsx': ts, 'a.cts': ts }
  const folder = project(t, {
    ...files,
    'a.cjs': 'module.exports = () => 1',
    'compiled.cjs':
      'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = () => 1',
  })
  workIn(t, folder)
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    for (const id of [`./${name}`, name, path, pathToFileURL(path).href]) {
      const source = await importSource(id)
      assert.equal(source.path, path)
      assert.equal(defaultFunction(source, 'environment', '() => 1')(), 1, id)
    }
  }
})

test('the digest depends on the contents of the files, not on their location; a change gives a new module', async (t) => {
  const files = { 'env.ts': `export { gain } from './gain.ts'`, 'gain.ts': 'export const gain: number = 1' }
  const [one, two] = [project(t, files), project(t, files)]
  const first = await importSource(join(one, 'env.ts'))
  const again = await importSource(join(one, 'env.ts'))
  const copy = await importSource(join(two, 'env.ts'))
  assert.equal(again.module, first.module)
  assert.equal(copy.sha256, first.sha256)
  write(one, { 'gain.ts': 'export const gain: number = 2' })
  const changed = await importSource(join(one, 'env.ts'))
  assert.notEqual(changed.sha256, first.sha256)
  assert.deepEqual([first.module['gain'], changed.module['gain']], [1, 2])
  write(one, { 'gain.ts': files['gain.ts'], 'unused.ts': 'export {}' })
  assert.equal((await importSource(join(one, 'env.ts'))).sha256, first.sha256)
})

test('a package is found from the working directory, and its imports from its own folder', async (t) => {
  const entry = (name: string) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({
      name,
      type: 'module',
      exports: {
        '.': { import: './main.js', require: './wrong.cjs' },
        './cheetah': { module: './wrong.js', default: './envs/cheetah.js' },
      },
    }),
    [`node_modules/${name}/main.js`]: `import { gain } from 'gains'\nexport default () => '${name} ' + gain`,
    [`node_modules/${name}/envs/cheetah.js`]: `import { box } from 'hatrpo/env'\nimport make from '../main.js'
export { box }\nexport default () => 'cheetah of ' + make()`,
    [`node_modules/${name}/node_modules/gains/package.json`]: '{ "exports": "./index.cjs" }',
    [`node_modules/${name}/node_modules/gains/index.cjs`]: 'exports.gain = 7',
  })
  const folder = project(t, {
    ...entry('my-envs'),
    ...entry('@me/envs'),
    ...entry('envs.js'),
    'sub/env.ts': `import make from 'my-envs'\nexport default () => 'file with ' + make()`,
  })
  const elsewhere = temporaryDirectory(t)
  const made = async (id: string) => defaultFunction(await importSource(id), 'environment', '')()
  workIn(t, elsewhere)
  assert.equal(await made(join(folder, 'sub/env.ts')), 'file with my-envs 7')
  await assert.rejects(importSource('my-envs'), {
    exitCode: 2,
    message: `environment my-envs: no package of that name is installed for ${elsewhere}`,
  })
  workIn(t, join(folder, 'sub'))
  assert.equal(await made('my-envs'), 'my-envs 7')
  assert.equal(await made('npm:my-envs'), 'my-envs 7')
  assert.equal(await made('npm:envs.js'), 'envs.js 7')
  assert.equal(await made('my-envs/cheetah'), 'cheetah of my-envs 7')
  assert.equal(await made('npm:@me/envs/cheetah'), 'cheetah of @me/envs 7')
  const { path, module } = await importSource('@me/envs/cheetah')
  assert.equal(path, join(folder, 'node_modules/@me/envs/envs/cheetah.js'))
  assert.equal(module['box'], box, 'there is one hatrpo')
  await assert.rejects(importSource('my-envs/walker'), {
    exitCode: 2,
    message: 'environment my-envs/walker: the installed package has no such module to import',
  })
})

test('mistakes in a file are reported in one line, with their position', async (t) => {
  const folder = project(t, {
    'good.ts': 'export default 1',
    'syntax.ts': 'const url = import.meta.url; const x: = 3',
    'deep.ts': `import './broken/part.ts'`,
    'broken/part.ts': 'export {}\nconst a = 1 2',
    'missing.ts': `\nimport { x } from './nowhere.js'\nx()`,
    'uninstalled.ts': `import x from 'left-pad'\nx()`,
    'name.ts': `import { x } from './good.ts'\nx()`,
    'own.ts': `import x from 'hatrpo/envs'\nx()`,
    'throws.ts': `\nthrow new Error('no luck\\nat all')`,
    'kind.ts': `import x from './model.stl'\nx()`,
    'model.stl': '',
    'folder.ts/x': '',
  })
  const at = (name: string) => `environment ${join(folder, name)}`
  const wrong: [name: string, message: string, exitCode?: number][] = [
    ['none.ts', `environment ${folder}/none.ts: there is no file ${folder}/none.ts`],
    ['folder.ts', `${at('folder.ts')}: ${folder}/folder.ts is not a file`],
    ['syntax.ts', `${at('syntax.ts')}:1:39: Unexpected "="`],
    ['deep.ts', `${at('deep.ts')}: ${folder}/broken/part.ts:2:13: Expected ";" but found "2"`],
    ['missing.ts', `${at('missing.ts')}:2:19: there is no file ./nowhere.js`],
    ['uninstalled.ts', `${at('uninstalled.ts')}:1:15: no package left-pad is installed here`],
    ['name.ts', `${at('name.ts')}:1:10: No matching export in "good.ts" for import "x"`],
    [
      'own.ts',
      `${at('own.ts')}:1:15: hatrpo/envs is not an entry point of this package: there are hatrpo, hatrpo/env and hatrpo/runtime`,
    ],
    ['throws.ts', `${at('throws.ts')} cannot be imported: no luck`, 1],
    ['kind.ts', `${at('kind.ts')}:1:15: No loader is configured for ".stl" files: model.stl`],
  ]
  for (const [name, message, exitCode = 2] of wrong) {
    await assert.rejects(importSource(join(folder, name)), { name: 'HatrpoError', message, exitCode }, name)
  }
  await assert.rejects(importSource(join(folder, 'none.ts'), 'reward'), /^HatrpoError: reward \//)
  const { path, sha256 } = await importSource(join(folder, 'good.ts'))
  assert.throws(
    () => defaultFunction({ path, sha256, module: { a: 1, b: 2 } }, 'reward', '(model) => number'),
    {
      exitCode: 2,
      message: `reward ${path}: it has no default export (it exports a, b): it must export by default a function (model) => number`,
    },
  )
})

test('an unwritable temporary folder is named, with a remedy', async (t) => {
  const folder = project(t, { 'env.ts': 'export default 1' })
  const { TMPDIR } = process.env
  t.after(() => (TMPDIR === undefined ? delete process.env.TMPDIR : (process.env.TMPDIR = TMPDIR)))
  process.env.TMPDIR = join(folder, 'none')
  await assert.rejects(importSource(join(folder, 'env.ts')), {
    name: 'HatrpoError',
    message: `cannot write temporary files in ${join(folder, 'none')} (ENOENT): set TMPDIR to a folder that can be written, such as /tmp`,
  })
})

test('errors in a module name lines of its source', async (t) => {
  const folder = project(t, {
    'env.ts': `interface Unused { readonly a: number }\n\nexport default (): number => {\n  throw new Error('here')\n}`,
  })
  const make = defaultFunction(await importSource(join(folder, 'env.ts')), 'environment', '')
  assert.throws(make, ({ stack }: Error) => stack!.includes(`(${join(folder, 'env.ts')}:4:9)`))
})

test('concurrent imports of threads do not interfere, and leave no files', async (t) => {
  const folder = project(t, {
    'env.ts': `import { half } from './half.ts'\nexport const whole: number = 2 * half`,
    'half.ts': 'export const half: number = 21',
  })
  const temporary = temporaryDirectory(t)
  const before = process.env['TMPDIR']
  t.after(() => (before === undefined ? delete process.env['TMPDIR'] : (process.env['TMPDIR'] = before)))
  process.env['TMPDIR'] = temporary
  const path = join(folder, 'env.ts')
  const code = `const { parentPort, workerData: { sources } } = require('node:worker_threads')
import(${JSON.stringify(SOURCE)}).then(async ({ adoptSources, importSource }) => {
  adoptSources(sources)
  const { module, sha256 } = await importSource(${JSON.stringify(path)})
  parentPort.postMessage({ ...module, sha256 })
})`
  const threads = (sources: unknown) =>
    Promise.all(
      [1, 2, 3, 4].map(
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker(code, { eval: true, workerData: { sources } })
            worker.on('message', resolve).on('error', reject)
          }),
      ),
    )
  const { module, sha256 } = await importSource(path)
  const expected = { ...module, sha256 }
  assert.equal(module['whole'], 42)
  assert.deepEqual(await threads([]), [expected, expected, expected, expected])
  const sources = bundledSources().filter((source) => source.path === path)
  assert.equal(sources.length, 1)
  assert.deepEqual(readdirSync(folder).sort(), ['env.ts', 'half.ts'])
  // A thread uses the source that it was handed, not the file.
  rmSync(path)
  assert.deepEqual(await threads(sources), [expected, expected, expected, expected])
  await assert.rejects(importSource(path), /there is no file/)
  adoptSources(sources)
  assert.equal((await importSource(path)).sha256, sha256)
  assert.deepEqual(readdirSync(temporary), [])
})

for (const host of Object.values(findHosts())) {
  test(`${host.name} imports the same`, { skip: host.missing }, async (t) => {
    const folder = project(t, {
      'env.ts': `import { RUNNING } from 'hatrpo/env'\nimport { gain } from './gain.js'\nimport old from './old.cjs'
export const all: number[] = [RUNNING, gain, old.gain]\nexport const url = import.meta.url`,
      'gain.ts': 'export const gain: number = 1',
      'old.cjs': 'module.exports = { gain: 2 }',
    })
    const path = join(folder, 'env.ts')
    const { module, sha256 } = await importSource(path)
    assert.deepEqual(module['all'], [0, 1, 2])
    const script = join(folder, 'run.mjs')
    writeFileSync(script, printing(path))
    const { status, stdout, stderr } = spawnSync(host.path, [...host.args, script], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), { ...module, sha256 })
  })
}
