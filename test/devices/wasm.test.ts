import { deviceSuite } from './suite.js'
import { openWasm } from './helpers.js'

for (const helpers of [0, 1, 3]) deviceSuite(`wasm with ${helpers} helper threads`, () => openWasm(helpers))
