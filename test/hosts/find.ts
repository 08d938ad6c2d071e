import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** JavaScript engine other than the one that runs the tests. */
export interface Host {
  readonly name: 'node26' | 'bun' | 'deno'
  /** Path of the executable; empty if the engine is missing. */
  readonly path: string
  /** Arguments that precede the path of a script. */
  readonly args: readonly string[]
  /** Output of `--version`, for messages; empty if the engine is missing. */
  readonly version: string
  /** False, or the reason why the engine cannot be used, for `skip` of node:test. */
  readonly missing: false | string
}

const modules = fileURLToPath(new URL('../../../test/hosts/node_modules/', import.meta.url))
const exe = process.platform === 'win32' ? '.exe' : ''

/** Folders of test/hosts/node_modules/SCOPE whose names match. npm installs only those of this platform. */
function packages(scope: string, pattern: RegExp): string[] {
  const folder = `${modules}${scope}`
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => `${folder}${name}`)
}

/** First candidate that runs on this machine. */
function find(name: Host['name'], candidates: string[], args: readonly string[] = []): Host {
  for (const path of candidates) {
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    if (status === 0) return { name, path, args, version: stdout.trim(), missing: false }
  }
  const why =
    candidates.length === 0
      ? 'not installed: npm run hosts'
      : `${candidates.join(', ')} does not run on this machine`
  if (process.env['HATRPO_TEST_HOSTS'] === 'required') {
    throw new Error(`${name} is required by HATRPO_TEST_HOSTS but ${why}`)
  }
  return { name, path: '', args, version: '', missing: `${name} is ${why}` }
}

/**
 * Engines that `npm run hosts` installs. The executables are found in the packages that contain them, so no install
 * script is needed.
 * @throws Error when one is missing and HATRPO_TEST_HOSTS=required (as in continuous integration)
 */
export function findHosts(): { node26: Host; bun: Host; deno: Host } {
  const node = packages('', /^node-(bin-)?[a-z0-9]+-[a-z0-9]+$/).map((folder) => `${folder}/bin/node${exe}`)
  const bun = packages('@oven/', /^bun-/).map((folder) => `${folder}/bin/bun${exe}`)
  const deno = packages('@deno/', /^[a-z0-9-]+$/).map((folder) => `${folder}/deno${exe}`)
  return {
    node26: find('node26', node),
    bun: find('bun', bun),
    // All permissions, and packages from node_modules, as in Node.
    deno: find('deno', deno, ['run', '--allow-all', '--node-modules-dir=manual']),
  }
}
