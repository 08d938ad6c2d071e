import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { cruise, type IConfiguration } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const require = createRequire(import.meta.url)
const { forbidden, options } = require(join(root, '.dependency-cruiser.cjs')) as Required<IConfiguration>

/**
 * Checks a project that consists of `files` (path to content) with the repository's own import rules.
 * @returns the broken rules as `rule: from -> to`, sorted
 */
async function violations(files: Record<string, string>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-imports-'))
  try {
    const listed = { 'package.json': '{ "type": "module", "devDependencies": { "dev": "1.0.0" } }' }
    const tsconfig = { 'tsconfig.json': '{ "compilerOptions": { "module": "NodeNext" } }' }
    for (const [path, content] of Object.entries({ ...listed, ...tsconfig, ...files })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    const { output } = await cruise(
      ['{src,workers,assembly,test}/**/*.ts'],
      { ...options, baseDir: folder, validate: true, ruleSet: { forbidden } },
      options.enhancedResolveOptions,
      { tsConfig: extractTSConfig(join(folder, 'tsconfig.json')) },
    )
    assert.ok(typeof output === 'object')
    const { summary } = output
    const sources = Object.keys(files).filter((path) => path.endsWith('.ts'))
    assert.ok(summary.totalCruised >= sources.length, 'every file was looked at')
    return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const a = 'export const a = 1\n'
const A = 'export interface A {\n  a: number\n}\n'

test('imports down the list are accepted', async () => {
  const found = await violations({
    'src/errors.ts': a,
    'src/text/show.ts': a,
    'src/envs/spec.ts': "export { a } from '../text/show.js'\n",
    'src/config/schema.ts': "export { a } from '../envs/spec.js'\n",
    'src/runs/folder.ts': "export { a } from '../config/schema.js'\n",
    'src/runtime/act.ts': a,
    'src/kernels/gemm.ts': "import { a } from '../errors.js'\nexport const b = a\n",
    'src/devices/wasm.ts': "import { b } from '../kernels/gemm.js'\nexport const c = b\n",
    'src/rollout/collect.ts': "import { c } from '../devices/wasm.js'\nexport const d = c\n",
    'workers/rollout.ts': "import { d } from '../src/rollout/collect.js'\nexport const e = d\n",
    'src/training/train.ts': "import { d } from '../rollout/collect.js'\nexport const f = d\n",
    'src/index.ts': "export { f } from './training/train.js'\n",
    'src/cli/main.ts':
      "import { f } from '../index.js'\nimport { a } from '../runtime/act.js'\nconsole.log(f, a)\n",
    'assembly/exp.ts': a,
    'assembly/kernels.ts': "export { a } from './exp'\n",
    'test/train.test.ts': "import { f } from '../src/training/train.js'\nconsole.log(f)\n",
  })
  assert.deepEqual(found, [])
})

const broken: Record<string, { files: Record<string, string>; found: string[] }> = {
  'an upward import': {
    files: {
      'src/training/train.ts': a,
      'src/kernels/gemm.ts': "import { a } from '../training/train.js'\nexport const b = a\n",
    },
    found: ['no-upward-import: src/kernels/gemm.ts -> src/training/train.ts'],
  },
  'Node in an environment that pages load': {
    files: {
      'src/envs/bundle-source.ts': "import 'node:fs'\nexport const a = 1\n",
      'src/envs/source.ts': "export const b = () => import('./bundle-source.js')\n",
      'src/envs/index.ts': "export { a } from './bundle-source.js'\n",
      'src/kernels/asset.ts': "export const c = () => import('node:fs/promises')\n",
    },
    found: [
      'pages-have-no-node: src/envs/index.ts -> src/envs/bundle-source.ts',
      'pages-have-no-node: src/kernels/asset.ts -> fs/promises',
    ],
  },
  'an upward import of a type alone': {
    files: {
      'src/learner/actor.ts': A,
      'src/devices/device.ts': "import type { A } from '../learner/actor.js'\nexport const b: A = { a: 1 }\n",
    },
    found: ['no-upward-import: src/devices/device.ts -> src/learner/actor.ts'],
  },
  'an upward re-export': {
    files: { 'src/index.ts': a, 'src/envs/index.ts': "export { a } from '../index.js'\n" },
    found: ['no-upward-import: src/envs/index.ts -> src/index.ts'],
  },
  'a dynamic upward import': {
    files: { 'src/cli/main.ts': a, 'src/index.ts': "export const m = import('./cli/main.js')\n" },
    found: ['no-upward-import: src/index.ts -> src/cli/main.ts'],
  },
  'a cycle': {
    files: {
      'src/nn/a.ts': "import { b } from './b.js'\nexport const a = (): number => b()\n",
      'src/nn/b.ts': "import { a } from './a.js'\nexport const b = (): number => a()\n",
    },
    found: ['no-cycle: src/nn/a.ts -> src/nn/b.ts'],
  },
  'a cycle of types': {
    files: {
      'src/nn/a.ts': "import type { B } from './b.js'\nexport interface A {\n  b: B\n}\n",
      'src/nn/b.ts': "import type { A } from './a.js'\nexport interface B {\n  a: A\n}\n",
    },
    found: ['no-cycle: src/nn/a.ts -> src/nn/b.ts'],
  },
  'the runtime importing the error type': {
    files: { 'src/errors.ts': a, 'src/runtime/act.ts': "export { a } from '../errors.js'\n" },
    found: ['runtime-stands-alone: src/runtime/act.ts -> src/errors.ts'],
  },
  'the runtime importing Node': {
    files: { 'src/runtime/act.ts': "export { readFileSync } from 'node:fs'\n" },
    found: ['runtime-stands-alone: src/runtime/act.ts -> fs'],
  },
  'the error type importing anything': {
    files: { 'src/runtime/act.ts': a, 'src/errors.ts': "export { a } from './runtime/act.js'\n" },
    found: ['leaf: src/errors.ts -> src/runtime/act.ts'],
  },
  'a text helper importing anything': {
    files: { 'src/errors.ts': a, 'src/text/show.ts': "export { a } from '../errors.js'\n" },
    found: ['leaf: src/text/show.ts -> src/errors.ts'],
  },
  'the configuration importing a run folder': {
    files: { 'src/runs/folder.ts': a, 'src/config/resolve.ts': "export { a } from '../runs/folder.js'\n" },
    found: ['no-upward-import: src/config/resolve.ts -> src/runs/folder.ts'],
  },
  'a worker reaching above the rollout': {
    files: {
      'src/algorithms/table.ts': a,
      'workers/w.ts': "export { a } from '../src/algorithms/table.js'\n",
    },
    found: ['workers-reach: workers/w.ts -> src/algorithms/table.ts'],
  },
  'importing a worker': {
    files: { 'workers/w.ts': a, 'src/rollout/pool.ts': "export { a } from '../../workers/w.js'\n" },
    found: ['workers-are-started: src/rollout/pool.ts -> workers/w.ts'],
  },
  'AssemblyScript importing TypeScript': {
    files: { 'src/nn/a.ts': a, 'assembly/kernels.ts': "export { a } from '../src/nn/a'\n" },
    found: ['assembly-stands-alone: assembly/kernels.ts -> src/nn/a.ts'],
  },
  'TypeScript importing AssemblyScript': {
    files: {
      'assembly/kernels.ts': a,
      'src/kernels/a.ts': "export { a } from '../../assembly/kernels.js'\n",
    },
    found: ['assembly-is-compiled: src/kernels/a.ts -> assembly/kernels.ts'],
  },
  'a folder that is no layer': {
    files: { 'src/utils/a.ts': a, 'src/nn/a.ts': "export { a } from '../utils/a.js'\n" },
    found: ['known-layer: src/nn/a.ts -> src/utils/a.ts'],
  },
  'a test imported by the library': {
    files: { 'test/a.ts': a, 'src/nn/a.ts': "export { a } from '../../test/a.js'\n" },
    found: ['package-code-only: src/nn/a.ts -> test/a.ts'],
  },
  'a package that is not listed': {
    files: {
      'node_modules/unlisted/package.json': '{ "name": "unlisted", "main": "index.js" }',
      'node_modules/unlisted/index.js': 'export const u = 1\n',
      'src/nn/a.ts': "export { u } from 'unlisted'\n",
    },
    found: ['no-unlisted-dependency: src/nn/a.ts -> node_modules/unlisted/index.js'],
  },
  'the library using a development dependency': {
    files: {
      'node_modules/dev/package.json': '{ "name": "dev", "main": "index.js" }',
      'node_modules/dev/index.js': 'export const u = 1\n',
      'src/nn/a.ts': "export { u } from 'dev'\n",
      'test/a.ts': "export { u } from 'dev'\n",
    },
    found: ['no-development-dependency: src/nn/a.ts -> node_modules/dev/index.js'],
  },
  'a file that is not there': {
    files: { 'src/nn/a.ts': "export { u } from './gone.js'\n" },
    found: ['resolvable: src/nn/a.ts -> ./gone.js'],
  },
}

for (const [what, { files, found }] of Object.entries(broken)) {
  test(`the import rules report ${what}`, async () => {
    assert.deepEqual(await violations(files), found)
  })
}
