// Builds everything that runs: AssemblyScript modules, then TypeScript, into dist/.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => `${root}node_modules/${name}`

function run(script, args) {
  const { status } = spawnSync(process.execPath, [bin(script), ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

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
