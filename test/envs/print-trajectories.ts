// Prints the hash of every built-in environment's trajectory, as test/golden/trajectories.json holds them:
// node dist/test/envs/print-trajectories.js > test/golden/trajectories.json
import * as envs from '../../src/envs/index.js'
import { hashTrajectories } from './trajectories.js'

console.log(JSON.stringify(await hashTrajectories(envs), null, 2))
