// `hatrpo bench` beside other implementations, each where it is installed: HARL (HARL_DIR), native libmujoco, ONNX
// Runtime and TensorFlow.js (npm run rivals).
//   npm run --silent bench -- [rollout|learner|inference] [--env ID ...] [--rounds N] [--batch N] [--threads 1,2] [--json]
import type { Rivals } from '../src/bench/index.js'
import { benchCommand } from '../src/cli/bench.js'
import { withVerbose } from '../src/cli/program.js'
import { runCommand } from '../src/cli/run.js'
import { findHarl } from './harl/rival.js'
import { NativeProgram } from './native/program.js'
import { findPolicyRivals } from './rivals/find.js'

/** A rival, or nothing and a line on standard error. */
function orNotice<T extends object>(name: string, found: T | string): T | null {
  if (typeof found !== 'string') return found
  console.error(`${name} is left out: ${found}`)
  return null
}

async function openRivals(): Promise<Rivals> {
  const policies = await findPolicyRivals()
  const native = orNotice('native MuJoCo', NativeProgram.compile())
  if (native) process.once('exit', () => native.dispose())
  return {
    learner: orNotice('HARL', findHarl()),
    physics: native,
    policies: orNotice('inference by other packages', policies) ?? [],
  }
}

await runCommand(withVerbose(benchCommand(openRivals)), process.argv.slice(2))
