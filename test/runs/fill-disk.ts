// Runs in the folder named on the command line until a checkpoint finds the disk full; prints what happened as JSON.
import { HatrpoError } from '../../src/errors.js'
import { openRun } from '../../src/runs/folder.js'
import { iterationRecord, testConfig } from './fixtures.js'

const run = openRun(process.argv[2], testConfig('checkpoint.keepEvery=1'))
let written = 0
try {
  for (let iteration = 1; iteration <= 1000; iteration++) {
    run.logIteration(iterationRecord(iteration))
    const tensors = { 'actors/agent_0': new Float32Array(10_000).fill(iteration) }
    run.saveCheckpoint(iteration, iteration * 4000, { tensors, state: { iteration } })
    written = iteration
  }
} catch (error) {
  if (!(error instanceof HatrpoError)) throw error
  console.log(JSON.stringify({ written, message: error.message, exitCode: error.exitCode }))
} finally {
  run.close()
}
