import { Option } from 'commander'
import { deviceNames } from '../src/devices/open.js'
import { parseGoldenArguments } from './golden/arguments.js'
import { derivativesNames, type DerivativesName } from './golden/derivatives.js'
import { checkLearnerFile } from './golden/kinds.js'
import { checkGoldenFiles } from './golden/report.js'

const device = new Option('--device <name>', "device that computes the package's side")
  .choices(deviceNames)
  .default(deviceNames[0])
const derivatives = new Option('--derivatives <way>', 'way to compute Fisher products')
  .choices(derivativesNames)
  .default(derivativesNames[0])
const options = parseGoldenArguments<{ device: string; derivatives: DerivativesName }>(
  'golden',
  "Compares learning updates with HARL's numbers.",
  process.argv.slice(2),
  [device, derivatives],
)
process.exitCode = await checkGoldenFiles(options, (file) =>
  checkLearnerFile(file, options.device, options.derivatives),
)
