import { parseGoldenArguments } from './golden/arguments.js'
import { checkLearnerFile } from './golden/kinds.js'
import { checkGoldenFiles } from './golden/report.js'

process.exitCode = await checkGoldenFiles(
  parseGoldenArguments('golden', "Compares learning updates with HARL's numbers.", process.argv.slice(2)),
  checkLearnerFile,
)
