import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EnvContext, loadEnvFactory, type EnvConfig, type MultiAgentEnv } from '../../src/envs/index.js'

const folder = fileURLToPath(new URL('../../../test/envs/python/', import.meta.url))

/** Id of the environments of a factory in test/envs/python. */
export const pythonId = (factory: string, file = 'games') => `pettingzoo:${folder}${file}.py:${factory}`

/** The configuration of such an environment, with the factory's arguments. */
export function pythonEnv(
  factory: string,
  kwargs: Record<string, unknown> = {},
  options: Record<string, string | number | boolean> = {},
): EnvConfig {
  return { id: pythonId(factory), kwargs: JSON.stringify(kwargs), ...options }
}

/** Environments of one thread, disposed when the test ends, and the messages about their process. */
export async function makePython(
  t: TestContext,
  config: EnvConfig,
  count = 1,
): Promise<{ envs: MultiAgentEnv[]; restarts: string[] }> {
  const restarts: string[] = []
  const context = new EnvContext({ onRestart: (what) => restarts.push(what) })
  const factory = await loadEnvFactory(config, context)
  const envs: MultiAgentEnv[] = []
  t.after(() => envs.forEach((env) => env.dispose?.()))
  while (envs.length < count) envs.push(await factory.create(context))
  return { envs, restarts }
}

/**
 * A Python, 3.9 or newer, that has a module: the one that `python3` is, or Debian's.
 * @returns its name, and false or why there is none: what node:test's `skip` takes
 * @throws Error where HATRPO_TEST_HOSTS=required (as in continuous integration) and there is none
 */
export function findPython(module = 'sys'): { readonly python: string; readonly missing: false | string } {
  const check = `import sys, ${module}; sys.exit(sys.version_info < (3, 9))`
  for (const python of ['python3', '/usr/bin/python3']) {
    if (spawnSync(python, ['-c', check]).status === 0) return { python, missing: false }
  }
  const missing = `no python3, 3.9 or newer${module === 'sys' ? '' : `, with ${module}`}`
  if (process.env['HATRPO_TEST_HOSTS'] === 'required')
    throw new Error(`${missing}: HATRPO_TEST_HOSTS requires it`)
  return { python: '', missing }
}

/** Path of a file that is not there, in a folder that is deleted when the test ends. */
export function markerFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hatrpo-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'happened')
}
