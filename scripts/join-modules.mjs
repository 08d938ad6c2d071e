import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

/** Sources that are imported by location, with the names of their files in dist/lib/, besides all of workers/. */
const ENTRIES = {
  index: 'src/index.ts',
  'envs/index': 'src/envs/index.ts',
  'cli/main': 'src/cli/main.ts',
  'bench/first-iteration': 'src/bench/first-iteration.ts',
}

/**
 * Joins the modules of the command, the library and their threads into some forty files in dist/lib, because Node
 * loads a few large files faster than hundreds of small ones. Entries share these files: a process has one instance of
 * each module. Packages are not joined, except the part of zod in dist/src/config/zod.js.
 * @param root folder of the repository, with a separator at its end
 */
export async function joinModules(root) {
  rmSync(`${root}dist/lib`, { recursive: true, force: true })
  const workers = readdirSync(`${root}workers`)
  const modules = workers.filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -'.ts'.length))
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      ...ENTRIES,
      ...Object.fromEntries(modules.map((name) => [`workers/${name}`, `workers/${name}.ts`])),
    },
    outdir: 'dist/lib',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    define: { JOINED: 'true' },
    alias: { zod: `${root}dist/src/config/zod.js` },
    packages: 'external',
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    minifyWhitespace: true,
    logLevel: 'error',
  })
  for (const file of workers.filter((name) => name.endsWith('.cts'))) {
    const compiled = file.replace(/\.cts$/, '.cjs')
    copyFileSync(`${root}dist/workers/${compiled}`, `${root}dist/lib/workers/${compiled}`)
  }
  const places = Object.entries(metafile.outputs).filter(([, { inputs }]) => 'src/place.ts' in inputs)
  const [place] = places[0]
  if (places.length !== 1 || !/^dist\/lib\/[^/]+$/.test(place))
    throw new Error(`src/place.ts is in ${place}: it must be in one file, directly in dist/lib`)
}
