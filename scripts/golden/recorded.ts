import { readFile } from 'node:fs/promises'
import type { EnvContext } from '../../src/envs/context.js'
import { parseJson } from './env-file.js'
import { checkEnvironmentFile } from './environments.js'
import { checkParticleFile, isParticleFile } from './particles.js'
import type { FileReport } from './report.js'

/** Compares an environment with the recorded transitions in a file of either kind. */
export async function checkRecordedFile(file: string, context: EnvContext): Promise<FileReport> {
  const json = parseJson(await readFile(file, 'utf8'))
  return isParticleFile(json) ? checkParticleFile(json) : checkEnvironmentFile(json, context)
}
