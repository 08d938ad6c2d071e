// Builds everything that runs: AssemblyScript modules, then TypeScript, into dist/.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeAssembly } from './assembly.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => `${root}node_modules/${name}`

function run(script, args) {
  const { status } = spawnSync(process.execPath, [bin(script), ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

await writeAssembly(root)
mkdirSync(`${root}dist/assembly`, { recursive: true })
for (const target of ['kernels', 'stepper', 'policy']) {
  if (!existsSync(`${root}assembly/${target}.ts`)) continue
  run('assemblyscript/bin/asc.js', [
    `assembly/${target}.ts`,
    '--config',
    'asconfig.json',
    '--target',
    target,
    '--outFile',
    `dist/assembly/${target}.wasm`,
  ])
}
run('typescript/bin/tsc', ['-p', 'tsconfig.json'])
for (const path of readdirSync(`${root}src`, { recursive: true }).filter((name) => name.endsWith('.py')))
  cpSync(`${root}src/${path}`, `${root}dist/src/${path}`)
for (const folder of ['src', 'workers', 'test', 'bench', 'examples', 'scripts']) removeStale(folder)

/** Removes what was compiled from a source that is no longer there; it would be packed and tested. */
function removeStale(folder) {
  if (!existsSync(`${root}dist/${folder}`)) return
  for (const name of readdirSync(`${root}dist/${folder}`, { recursive: true })) {
    const source = name.replace(/(?:\.d\.ts|\.js)$/, '.ts')
    if (/\.(ts|py)$/.test(source) && !existsSync(`${root}${folder}/${source}`))
      rmSync(`${root}dist/${folder}/${name}`, { force: true })
  }
}
