// Which file may import which. Imports run one way, down this list, and never in a circle; a type-only import
// counts like any other. CONTRIBUTING.md says where new code goes.

/** From the top to the bottom; each layer may import those below it. */
const layers = [
  '^src/cli/',
  '^src/bench/',
  '^src/index\\.ts$',
  '^src/web/',
  '^src/report/',
  '^src/training/',
  '^src/runs/',
  '^src/config/',
  '^src/export/',
  '^src/algorithms/',
  '^src/rollout/',
  '^src/learner/',
  '^src/nn/',
  '^src/devices/',
  '^src/render/',
  '^src/envs/',
  '^src/kernels/',
  '^src/runtime/',
]
/** Leaves: they import nothing, so anything but src/runtime may import them. */
const leaves = ['^src/(errors|files|place)\\.ts$', '^src/text/']
const workers = '^workers/'
const assembly = '^assembly/'
/** Pages import these... */
const forPages = '^src/(kernels|envs)/'
/**
 * ...but for the files that need Node, which are imported when they are needed and not before. In the code for pages, the
 * build puts src/envs/page.ts in their place.
 */
const nodeOnly = [
  '^src/envs/(bundle-source|import-bundle|temporary)\\.ts$',
  '^src/envs/mujoco/(disk|optimise|optimised)\\.ts$',
  '^src/envs/portable\\.ts$',
  '^src/envs/pettingzoo/(?!options)',
  '^src/envs/team/custom\\.ts$',
]
/** Code of the page that the build bundles into one file. */
const bundledPage = '^src/web/(watch-page\\.ts$|page/)'
/** What a thread needs of a layer above `src/rollout/`; a leaf. */
const lockRefresh = '^src/runs/refresh\\.ts$'
const workersReach = layers.slice(layers.indexOf('^src/rollout/'))

const upwards = layers.slice(1).map((layer, index) => ({
  name: 'no-upward-import',
  comment: 'A layer may import only the layers below it (docs/ARCHITECTURE.md lists them).',
  severity: 'error',
  from: { path: layer },
  to: { path: layers.slice(0, index + 1) },
}))

module.exports = {
  forbidden: [
    ...upwards,
    {
      name: 'no-cycle',
      comment: 'Two files that import each other are one file, or hide a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'leaf',
      comment:
        'src/errors.ts, src/files.ts, src/place.ts and src/text may be imported from anywhere because they import nothing.',
      severity: 'error',
      from: { path: leaves },
      to: {},
    },
    {
      name: 'runtime-stands-alone',
      comment: 'src/runtime runs where nothing of ours is installed: it imports only itself.',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { pathNot: '^src/runtime/' },
    },
    {
      name: 'pages-have-no-node',
      comment: 'Environments load in a page: what needs Node is listed as nodeOnly.',
      severity: 'error',
      from: { path: forPages, pathNot: nodeOnly },
      to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pages-have-no-node',
      comment: 'Environments load in a page: what needs Node is imported dynamically, when it is needed.',
      severity: 'error',
      from: { path: forPages, pathNot: nodeOnly },
      to: { path: nodeOnly, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'page-is-bundled',
      comment:
        'A page that the command serves is bundled with all it imports: no file of the package needs its sources.',
      severity: 'error',
      from: { path: '^(src|workers)/', pathNot: bundledPage },
      to: { path: bundledPage },
    },
    {
      name: 'page-is-bundled',
      comment: 'A page that the command serves has no Node: it imports only the contract with its server.',
      severity: 'error',
      from: { path: bundledPage },
      to: { pathNot: [bundledPage, '^src/web/(panels|updates)\\.ts$', 'node_modules'] },
    },
    {
      name: 'workers-reach',
      comment: 'A thread entry point imports src/rollout and what is below it, or the refresh of a lock.',
      severity: 'error',
      from: { path: workers },
      to: { path: '^(src|workers)/', pathNot: [workers, lockRefresh, ...leaves, ...workersReach] },
    },
    {
      name: 'workers-are-started',
      comment: 'A thread entry point is started by its URL, never imported.',
      severity: 'error',
      from: { pathNot: workers },
      to: { path: workers },
    },
    {
      name: 'assembly-stands-alone',
      comment: 'AssemblyScript sources import one another; the rest of the code loads the compiled modules.',
      severity: 'error',
      from: { path: assembly },
      to: { pathNot: assembly },
    },
    {
      name: 'assembly-is-compiled',
      comment: 'AssemblyScript sources import one another; the rest of the code loads the compiled modules.',
      severity: 'error',
      from: { pathNot: assembly },
      to: { path: assembly },
    },
    {
      name: 'known-layer',
      comment: 'Every file under src/ belongs to a layer of this list.',
      severity: 'error',
      from: { path: '^src/', pathNot: [...leaves, ...layers] },
      to: {},
    },
    {
      name: 'known-layer',
      comment: 'Every file under src/ belongs to a layer of this list.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [...leaves, ...layers] },
    },
    {
      name: 'package-code-only',
      comment: 'What is published may not need what is not.',
      severity: 'error',
      from: { path: '^(src|workers)/' },
      to: { path: '^(test|bench|examples|scripts|dist)/' },
    },
    {
      name: 'no-unlisted-dependency',
      comment: 'Every package that is imported is listed in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-dependency',
      comment: 'A user of the package does not have its development dependencies.',
      severity: 'error',
      from: { path: '^(src|workers)/', pathNot: bundledPage },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only', 'npm-peer'] },
    },
    {
      name: 'resolvable',
      comment: 'The import names a file or package that is not there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(test/hosts|test/bundlers|test/tensorflow|bench/rivals)/node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
}
