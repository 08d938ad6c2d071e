// Writes the run in the folder named on the command line, iteration after iteration, until it is killed.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openRun } from '../../src/runs/folder.js'
import { checkpointData, evaluationRecord, iterationRecord, testConfig } from './fixtures.js'

const dir = process.argv[2]
const config = testConfig('steps=4000000000', 'checkpoint.keepEvery=50')
const run = openRun(dir, config, { resume: existsSync(join(dir, 'config.json')) })
console.log('open')
for (let iteration = (run.checkpoint?.iteration ?? 0) + 1; ; iteration++) {
  run.logIteration(iterationRecord(iteration))
  run.logEvaluation(evaluationRecord(iteration, iteration % 100))
  run.saveCheckpoint(iteration, iteration * 4000, checkpointData(iteration))
}
