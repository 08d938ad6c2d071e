import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { exportPolicies, resolveConfig, train } from '../../src/index.js'
import { compileMujoco, EnvContext, makeEnvFactory } from '../../src/envs/index.js'
import { loadBundle } from '../../src/runtime/index.js'
import { findChromium, openPage } from '../hosts/chromium.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const bundlers = join(root, 'test/bundlers/node_modules')
const skip = existsSync(bundlers) ? findChromium().missing : 'not installed: npm run bundlers'

/** The page's code of docs/pages.md, which then shows its last state. */
const example =
  /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/pages.md'), 'utf8'))![1] +
  "document.querySelector('output').textContent = String(env.state)\n"
const BINARY = '@mujoco/mujoco/mujoco.wasm'

let project = ''
let expected = ''

/** The last state of the page's episode, in this process. */
async function lastState(): Promise<string> {
  const context = new EnvContext({ mujoco: await compileMujoco() })
  const env = await makeEnvFactory({ id: 'mamujoco/HalfCheetah-2x3' }).create(context)
  const { agents } = await loadBundle(join(project, 'policies'))
  env.reset(1)
  do {
    agents.forEach((policy, i) => policy.act(env.observations[i], env.actions[i]))
  } while (env.step() === 0)
  return String(env.state)
}

before(async () => {
  if (skip !== false) return
  project = mkdtempSync(join(tmpdir(), 'hatrpo-page-'))
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', project], { cwd: root })
  assert.equal(packed.status, 0)
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz'))!
  mkdirSync(join(project, 'node_modules/hatrpo'), { recursive: true })
  const unpack = ['-xzf', tarball, '--strip-components=1', '-C', 'node_modules/hatrpo']
  assert.equal(spawnSync('tar', unpack, { cwd: project }).status, 0)
  cpSync(join(root, 'node_modules/@mujoco'), join(project, 'node_modules/@mujoco'), { recursive: true })

  const set = ['env.id=mamujoco/HalfCheetah-2x3', 'actor.hidden=[8]', 'critic.hidden=[8]', 'envs=2']
  const short = ['algo=hatrpo', 'rolloutSteps=20', 'steps=40', 'evaluation.every=0']
  const { config } = resolveConfig({ set: [...set, ...short] })
  await train({ config, dir: join(project, 'run'), workers: 0 })
  await exportPolicies({
    run: join(project, 'run'),
    out: join(project, 'policies'),
    format: 'wasm',
    checkpoint: 'latest',
  })
  expected = await lastState()
})

after(() => project !== '' && rmSync(project, { recursive: true, force: true }))

/** Bundles `entry` of the project into a folder. @returns the warnings */
type Bundle = (entry: string, out: string) => Promise<string[]>

interface Vite {
  build(options: object): Promise<unknown>
  createLogger(level: string): { warn: (message: string) => void }
}
interface WebpackStats {
  toJson(): { warnings: { message: string }[]; errors: { message: string }[] }
}
type Webpack = (options: object, done: (error: Error | null, stats: WebpackStats) => void) => void

/** Ways to bundle, with the code that each takes. */
const CASES: Record<string, { code: string; bundle: Bundle }> = {
  esbuild: {
    code: example.replace(`${BINARY}?url`, BINARY),
    bundle: async (entry, out) => {
      const outfile = join(out, 'page.js')
      const loader = { '.wasm': 'file' } as const
      const options = { bundle: true, format: 'esm', logLevel: 'silent' } as const
      const { warnings } = await build({ ...options, entryPoints: [entry], outfile, loader })
      return warnings.map(({ text }) => text)
    },
  },
  Vite: {
    code: example,
    bundle: async (entry, out) => {
      const { build, createLogger } = (await import(join(bundlers, 'vite/dist/node/index.js'))) as Vite
      const warnings: string[] = []
      const warn = (message: string) => warnings.push(message)
      const customLogger = { ...createLogger('silent'), info: () => {}, warn }
      const output = { entryFileNames: 'page.js' }
      const options = { outDir: out, target: 'es2022', rollupOptions: { input: entry, output } }
      await build({ configFile: false, root: project, customLogger, build: options })
      return warnings
    },
  },
  webpack: {
    code: example.replace(/^import mujocoUrl.*\n/m, '').replace(/\{ mujoco: .*? \}/, ''),
    bundle: async (entry, out) => {
      const { default: webpack } = (await import(join(bundlers, 'webpack/lib/index.js'))) as {
        default: Webpack
      }
      const output = { path: out, filename: 'page.js' }
      const options = { mode: 'development', devtool: false, context: project, entry, output }
      const stats = await new Promise<WebpackStats>((resolve, reject) =>
        webpack(options, (error, stats) => (error === null ? resolve(stats) : reject(error))),
      )
      const { warnings, errors } = stats.toJson()
      return [...errors, ...warnings].map(({ message }) => message)
    },
  },
}

for (const [name, { code, bundle }] of Object.entries(CASES)) {
  test(
    `${name} bundles the example of docs/pages.md without a warning, and it runs in Chromium`,
    { skip },
    async (t) => {
      const entry = join(project, `${name}.js`)
      const out = join(project, name)
      writeFileSync(entry, code)
      assert.deepEqual(await bundle(entry, out), [])
      cpSync(join(project, 'policies'), join(out, 'policies'), { recursive: true })
      const html =
        '<!doctype html><link rel="icon" href="data:,"><output></output><script type="module" src="/page.js"></script>'
      const { page, errors } = await openPage(t, findChromium(), html, out)
      await page.waitForFunction(() => document.querySelector('output')!.textContent !== '')
      assert.equal(await page.textContent('output'), expected)
      assert.deepEqual(errors, [])
    },
  )
}
