// Joins the modules of `hatrpo/env` into files for pages, in dist/pages/. Bundlers take them by the condition `browser`.
import { readFileSync, rmSync } from 'node:fs'
import { build, transform } from 'esbuild'

/** Changes of MuJoCo's JavaScript. They leave nothing in it for which a bundler would look for a file or for Node. */
const MUJOCO_CHANGES = [
  [/^var ENVIRONMENT_IS_NODE = .*;$/m, ''],
  [/new URL\('mujoco\.wasm', import\.meta\.url\)\.href/, '"mujoco.wasm"'],
]
/** Replacements of names in a page. The caller compiles the binary, so the script needs no location. */
const MUJOCO_CONSTANTS = { ENVIRONMENT_IS_NODE: 'false', 'import.meta.url': '""' }

const LICENCE = `/*! @mujoco/mujoco 3.14.0, without its parts for Node.
Copyright DeepMind Technologies Limited. Apache License 2.0. */
`

/** Minified JavaScript of MuJoCo without what needs Node. */
async function mujocoOfPages(path) {
  const source = MUJOCO_CHANGES.reduce(
    (code, [pattern, instead]) => {
      if (!pattern.test(code)) throw new Error(`${path} has no ${pattern}: is it version 3.14.0?`)
      return code.replace(pattern, instead)
    },
    readFileSync(path, 'utf8'),
  )
  const { code } = await transform(source, { define: MUJOCO_CONSTANTS, minify: true })
  return { contents: LICENCE + code }
}

/** Replaces modules that need Node by src/envs/page.ts, and the stepper's file by its bytes. */
const pages = (root) => ({
  name: 'pages',
  setup({ onLoad, onResolve }) {
    // A relative import that waits until it is needed is one of a file that needs Node.
    onResolve({ filter: /^\./ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: `${root}src/envs/page.ts` } : undefined,
    )
    onLoad({ filter: /[\\/]@mujoco[\\/]mujoco[\\/]mujoco\.js$/ }, ({ path }) => mujocoOfPages(path))
    onLoad({ filter: /[\\/]envs[\\/]mujoco[\\/]stepper\.ts$/ }, () => {
      const base64 = readFileSync(`${root}dist/assembly/stepper.wasm`).toString('base64')
      const bytes = `Uint8Array.from(atob('${base64}'), (letter) => letter.charCodeAt(0))`
      return { contents: `export const readStepper = async () => ${bytes}` }
    })
  },
})

/** @param root folder of the repository, with a separator at its end */
export async function joinPages(root) {
  rmSync(`${root}dist/pages`, { recursive: true, force: true })
  await build({
    absWorkingDir: root,
    entryPoints: { env: 'src/envs/index.ts' },
    outdir: 'dist/pages',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minifyWhitespace: true,
    plugins: [pages(root)],
    logLevel: 'warning',
  })
}
