import { readFile } from 'node:fs/promises'
import { EnvContext } from '../src/envs/context.js'
import { parseGoldenArguments } from './golden/arguments.js'
import { parseJson } from './golden/env-file.js'
import { checkEnvironmentFile } from './golden/environments.js'
import { checkParticleFile, isParticleFile } from './golden/particles.js'
import { checkGoldenFiles } from './golden/report.js'

const context = new EnvContext()
process.exitCode = await checkGoldenFiles(
  parseGoldenArguments(
    'golden-envs',
    'Compares environments with recorded transitions of the originals.',
    process.argv.slice(2),
  ),
  async (file) => {
    const json = parseJson(await readFile(file, 'utf8'))
    return isParticleFile(json) ? checkParticleFile(json) : checkEnvironmentFile(json, context)
  },
)
