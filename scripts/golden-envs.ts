import { EnvContext } from '../src/envs/context.js'
import { parseGoldenArguments } from './golden/arguments.js'
import { checkRecordedFile } from './golden/recorded.js'
import { checkGoldenFiles } from './golden/report.js'

const context = new EnvContext()
process.exitCode = await checkGoldenFiles(
  parseGoldenArguments(
    'golden-envs',
    'Compares environments with recorded transitions of the originals.',
    process.argv.slice(2),
  ),
  (file) => checkRecordedFile(file, context),
)
