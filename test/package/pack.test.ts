import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build, type BuildOptions } from 'esbuild'
import { publint } from 'publint'
import type * as Envs from '../../src/envs/index.js'
import { findPython } from '../envs/python.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
let project = ''
let tarball = ''
/** Largest size of the packed package, and the part of its GPU kernels. */
const TARBALL_BYTES = 1_080_000
const GPU_BYTES = 90_000
/** Largest size of the minified code for pages with gzip and with Brotli. */
const PAGE_BYTES = { runtime: [4000, 3600], env: [95_000, 85_000] }
/** Path of the command in the package. */
const bin = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { hatrpo: string } }).bin
  .hatrpo

/** Runs a program in the project. @returns its stdout */
function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: project, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? ''}${stderr}${stdout}`)
  return stdout
}

before(() => {
  project = mkdtempSync(join(tmpdir(), 'hatrpo-project-'))
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }')
  // The package was built before the tests; the scripts would build it again.
  const packed = spawnSync(npm, ['pack', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(packed.status, 0, packed.stderr)
  tarball = join(
    project,
    readdirSync(project).find((name) => name.endsWith('.tgz'))!,
  )
  run(npm, 'install', '--prefer-offline', '--no-package-lock', '--no-audit', '--no-fund', tarball)
})

after(() => rmSync(project, { recursive: true, force: true }))

/** Runs the command as npx finds it; npx itself, which takes longer to start than the command, is tried once. */
const hatrpo = (...args: string[]): string =>
  run(process.execPath, join('node_modules', 'hatrpo', bin), ...args)

const tiny = ['actor.hidden=[8]', 'critic.hidden=[8]', 'envs=4', 'rolloutSteps=20', 'evaluation.every=0']

test('the command trains, evaluates, exports and lists', () => {
  assert.match(run(npx, 'hatrpo', 'list', 'envs'), /^mamujoco\/HalfCheetah-2x3 +\S/m)
  const env = 'mamujoco/HalfCheetah-2x3'
  const args = ['--env', env, '--algo', 'hatrpo', '--steps', '160', '--out', 'run', '--set', ...tiny]
  assert.match(hatrpo('train', ...args), /^parameters sha256 [0-9a-f]{64}$/m)
  assert.match(hatrpo('eval', 'run', '--episodes', '1'), /^mamujoco\/HalfCheetah-2x3: return /)
  hatrpo('export', 'run', '--out', 'bundle')
  assert.ok(existsSync(join(project, 'bundle/agent_0.wasm')))
})

test('the command measures one action and a batch of them', () => {
  const { results } = JSON.parse(hatrpo('bench', 'inference', '--rounds', '1', '--json')) as {
    results: { name: string; median: number }[]
  }
  const policy = 'policy 17-128-128-3'
  for (const name of [
    `${policy}, batch 1, act()`,
    `${policy}, batch 1, act() against plain JavaScript`,
    `${policy}, batch 64, plain JavaScript`,
  ]) {
    const found = results.filter((result) => result.name === name)
    assert.ok(found.length === 1 && found[0].median > 0 && found[0].median < Infinity, name)
  }
})

test('the package has no tools of the repository, and is small', () => {
  const files = readdirSync(join(project, 'node_modules/hatrpo'), { recursive: true }).map(String)
  assert.ok(files.includes(join('dist', 'config.schema.json')))
  const types = 'node_modules/hatrpo/dist/src/config/generated/train-config.d.ts'
  assert.ok(readFileSync(join(project, types), 'utf8').includes(' * Bound on the mean KL divergence'), types)
  assert.ok(files.includes(bin.replaceAll('/', sep)))
  const tools = /golden|scripts|(^|[\\/])(test|dist[\\/]bench|src[\\/]web[\\/]page)[\\/]|\.tsbuildinfo$/
  assert.deepEqual(
    files.filter((file) => tools.test(file)),
    [],
  )
  const kernels = 'node_modules/hatrpo/dist/cuda/kernels.ptx.br'
  const ofGpus = existsSync(join(project, kernels)) ? statSync(join(project, kernels)).size : 0
  assert.ok(ofGpus <= GPU_BYTES, `${ofGpus} bytes of kernels`)
  const bytes = statSync(tarball).size
  assert.ok(bytes - ofGpus <= TARBALL_BYTES - GPU_BYTES, `${bytes} bytes`)
})

test('publint and Are The Types Wrong find nothing', async () => {
  const content = readFileSync(tarball)
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(content).buffer }, strict: true })
  assert.deepEqual(messages, [])
  const analysis = await checkPackage(createPackageFromTarballData(content))
  assert.ok(analysis.types !== false)
  // The package is ESM alone, and its entry points have no other names than those of `exports`.
  const esm = analysis.problems.filter(
    (problem) => !('resolutionKind' in problem && /^node10$|cjs$/.test(problem.resolutionKind)),
  )
  assert.deepEqual(esm, [])
})

/** A bundle of one import, with what esbuild warns of as errors. */
function bundle(code: string, options: BuildOptions) {
  const stdin = { contents: code, resolveDir: project }
  const always = { bundle: true, format: 'esm', metafile: true, write: false, logLevel: 'silent' } as const
  return build({ ...options, ...always, stdin, outdir: join(project, 'bundled'), absWorkingDir: project })
}

test('a bundle for pages contains the code of the page and no Node code', async () => {
  const sizes: Record<string, number[]> = {}
  for (const [entry, folder] of Object.entries({ runtime: 'src/runtime', env: 'pages' })) {
    const code = `export * from 'hatrpo/${entry}'`
    const { metafile, outputFiles, warnings } = await bundle(code, { splitting: true, minify: true })
    assert.deepEqual(warnings, [])
    const files = Object.keys(metafile.inputs).filter((file) => file !== '<stdin>')
    const inFolder = files.filter((file) => file.startsWith(`node_modules/hatrpo/dist/${folder}/`))
    assert.ok(files.length > 1 && inFolder.length === files.length, files.join())
    const outside = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external),
    )
    assert.deepEqual(outside, [])
    sizes[entry] = [gzipSync, brotliCompressSync].map((compress) =>
      outputFiles.reduce((sum, { contents }) => sum + compress(contents).length, 0),
    )
  }
  for (const [entry, budgets] of Object.entries(PAGE_BYTES))
    budgets.forEach((budget, i) => assert.ok(sizes[entry][i] <= budget, `${entry}: ${sizes[entry]} bytes`))
})

test('the code for pages names functions that need Node', async () => {
  const url = pathToFileURL(join(project, 'node_modules/hatrpo/dist/pages/env.js')).href
  const { loadEnvFactory } = (await import(url)) as typeof Envs
  writeFileSync(join(project, 'empty.js'), '')
  const needNode: [Record<string, string> & { id: string }, RegExp][] = [
    [{ id: join(project, 'empty.js') }, /^environments from files and packages need Node: in a page, import/],
    [{ id: 'pettingzoo:a:b' }, /^Python environments need Node: in a page, /],
    [{ id: 'mamujoco/custom' }, /^teams from files need Node: in a page, /],
  ]
  for (const [config, message] of needNode) await assert.rejects(loadEnvFactory(config), { message })
})

test('a bundle with the whole package gives the reason why it does not run', async () => {
  const { outputFiles } = await bundle(`export { train } from 'hatrpo'`, { platform: 'node' })
  const file = join(project, 'bundled.mjs')
  writeFileSync(file, outputFiles[0].contents)
  await assert.rejects(import(pathToFileURL(file).href), {
    name: 'HatrpoError',
    message: /^hatrpo has been bundled: .*must be left out of the bundle \(esbuild --external:hatrpo, .*\)$/,
  })
})

test('the command serves a page of its runs until Ctrl-C', async (t) => {
  const child = spawn(
    process.execPath,
    [join('node_modules', 'hatrpo', bin), 'watch', 'run', '--port', '0'],
    {
      cwd: project,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  const [url] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  for (const [path, content] of Object.entries({
    '': '<!doctype html>',
    'watch-page.js': '/*! uPlot',
    'updates?': '"run"',
  })) {
    const response = await fetch(new URL(path, url))
    assert.equal(response.status, 200, path)
    assert.ok((await response.text()).includes(content), path)
  }
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'exit'), [130, null])
})

test('the command trains a Python environment', { skip: findPython().missing }, () => {
  copyFileSync(join(root, 'test/envs/python/games.py'), join(project, 'games.py'))
  const args = ['--env', 'pettingzoo:./games.py:team', '--algo', 'hatrpo', '--steps', '160', '--set', ...tiny]
  assert.match(hatrpo('train', ...args), /^run runs\/games-hatrpo-s1\n[^]*^parameters sha256 [0-9a-f]{64}$/m)
})

test('the types of the entry points compile under strict, without further packages', () => {
  writeFileSync(
    join(project, 'use.ts'),
    `import { evaluate, HatrpoError, resolveConfig, train, type TrainResult } from 'hatrpo'
import { box, RUNNING, TRUNCATED, type EnvSpec, type MultiAgentEnv } from 'hatrpo/env'
import { loadBundle } from 'hatrpo/runtime'

const controller = new AbortController()
const { config } = resolveConfig({ set: ['env.id=mamujoco/HalfCheetah-2x3', 'algo=hatrpo'] })
export const result: TrainResult = await train({
  config,
  dir: 'run',
  workers: 2,
  signal: controller.signal,
  onIteration: ({ iteration, episodeReturn }) => {
    const mean: number | undefined = episodeReturn?.mean
    if (iteration === 10 && mean !== undefined) controller.abort()
  },
  onEvaluation: ({ mean, sd }) => void (mean + sd),
  onEvent: (message) => void message.length,
})
export const { returns }: { readonly returns: readonly number[] } = await evaluate({ source: 'run', episodes: 2, seed: 1 })
export const load: (...args: never[]) => unknown = loadBundle
export const failed = (error: unknown): boolean => error instanceof HatrpoError && error.exitCode === 2

// @ts-expect-error a folder is needed
await train({ config })

export const spec: EnvSpec = {
  id: 'mine',
  agents: [{ id: 'a', observation: box(2), action: box(1, -1, 1) }],
  stateSize: 2,
  timeLimit: 10,
  mode: 'cooperative',
}
export const step = (env: MultiAgentEnv): boolean => env.step() === RUNNING || env.step() === TRUNCATED
`,
  )
  const tsc = join(root, 'node_modules/typescript-7/bin/tsc')
  const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', target: 'es2022', types: [] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
  run(process.execPath, tsc, '-p', '.', '--singleThreaded')
})

test('the command trains an environment in TypeScript, without saveState', () => {
  writeFileSync(
    join(project, 'walk.ts'),
    `import { box, RUNNING, TRUNCATED, type MultiAgentEnv } from 'hatrpo/env'
export default ({ limit }: { limit: number }): MultiAgentEnv => {
  const agents = ['a', 'b'].map((id) => ({ id, observation: box(1), action: box(1, -1, 1) }))
  const [state, rewards] = [new Float32Array(1), new Float32Array(2)]
  const actions = [new Float32Array(1), new Float32Array(1)]
  let steps = 0
  return {
    spec: { id: 'walk', agents, stateSize: 1, timeLimit: limit, mode: 'cooperative' },
    observations: [state, state],
    state,
    rewards,
    actions,
    reset: (seed: number) => {
      steps = 0
      state[0] = (seed % 1000) / 1000
    },
    step: () => {
      state[0] += actions[0][0] + actions[1][0]
      rewards.fill(-Math.abs(state[0]))
      return ++steps < limit ? RUNNING : TRUNCATED
    },
  }
}
`,
  )
  const args = ['--env', './walk.ts', '--algo', 'happo', '--out', 'walk']
  const set = [...tiny, 'env.limit=30', 'checkpoint.every=1']
  hatrpo('train', ...args, '--steps', '160', '--set', ...set)
  const more = ['--steps', '240', '--workers', '0']
  const walked = ['--env', './walk.ts', '--algo', 'happo', '--out', 'walked', ...more]
  const longer = hatrpo('train', '--resume', 'walk', ...more)
  const digest = /^parameters sha256 .*$/m
  assert.equal(digest.exec(longer)![0], digest.exec(hatrpo('train', ...walked, '--set', ...set))![0])
})

test('the library trains a custom environment, stops on request and continues', () => {
  writeFileSync(
    join(project, 'counter.mjs'),
    `import { box, RUNNING, TRUNCATED } from 'hatrpo/env'
export default ({ limit }) => {
  const agents = ['a', 'b'].map((id) => ({ id, observation: box(1), action: box(1, -1, 1) }))
  const [state, rewards] = [new Float32Array(1), new Float32Array(2)]
  return {
    spec: { id: 'counter', agents, stateSize: 1, timeLimit: limit, mode: 'cooperative' },
    observations: [state, state],
    state,
    rewards,
    actions: [new Float32Array(1), new Float32Array(1)],
    reset() { state[0] = 0 },
    step() {
      rewards.fill(-Math.abs(this.actions[0][0] + this.actions[1][0]))
      return ++state[0] < limit ? RUNNING : TRUNCATED
    },
    saveState: () => new Uint8Array(state.slice().buffer),
    loadState: (saved) => state.set(new Float32Array(saved.slice().buffer)),
  }
}
`,
  )
  writeFileSync(
    join(project, 'own.mjs'),
    `import { resolveConfig, train } from 'hatrpo'
const flags = { env: { id: './counter.mjs', limit: 10 }, algo: 'happo', steps: 400 }
const { config } = resolveConfig({ flags, set: ${JSON.stringify(tiny)} })
const controller = new AbortController()
const onIteration = ({ iteration }) => iteration === 2 && controller.abort()
const stopped = await train({ config, dir: 'own', workers: 2, signal: controller.signal, onIteration })
const rest = await train({ config, dir: 'own', workers: 1, resume: true })
const whole = await train({ config, dir: 'whole', workers: 1 })
console.log(JSON.stringify([stopped.finished, stopped.iterations, rest.finished, rest.iterations,
  rest.parametersSha256 === whole.parametersSha256]))
`,
  )
  assert.equal(run(process.execPath, 'own.mjs').trim(), '[false,2,true,5,true]')
})
