import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EnvContext, loadEnvFactory, type EnvConfig, type MultiAgentEnv } from '../../src/envs/index.js'

const folder = fileURLToPath(new URL('../../../test/envs/python/', import.meta.url))

/** The id of what a factory in test/envs/python makes. */
export const pythonId = (factory: string, file = 'games') => `pettingzoo:${folder}${file}.py:${factory}`

/** The configuration of such an environment, with the factory's arguments. */
export function pythonEnv(
  factory: string,
  kwargs: Record<string, unknown> = {},
  options: Record<string, string | number | boolean> = {},
): EnvConfig {
  return { id: pythonId(factory), kwargs: JSON.stringify(kwargs), ...options }
}

/** Environments of one thread, disposed when the test ends, and what was told of their process. */
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

/** A Python with numpy: the one that `python3` is, or Debian's; and why there is none. */
export function numpyPython(): { readonly python: string; readonly missing: false | string } {
  for (const python of ['python3', '/usr/bin/python3']) {
    if (spawnSync(python, ['-c', 'import numpy']).status === 0) return { python, missing: false }
  }
  if (process.env['HATRPO_TEST_HOSTS'] === 'required') throw new Error('no Python with numpy')
  return { python: '', missing: 'no Python with numpy' }
}

/** Path of a file that is not there, in a folder that is deleted when the test ends. */
export function markerFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hatrpo-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'happened')
}
