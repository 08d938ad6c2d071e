import { Command } from 'commander'
import { usageError } from '../errors.js'
import { didYouMean } from '../text/nearest.js'
import { packageVersion } from '../runs/version.js'
import { benchCommand } from './bench.js'
import { checkEnvCommand } from './check-env.js'
import { compareCommand } from './compare.js'
import { configCommand } from './config.js'
import { evalCommand } from './eval.js'
import { exportCommand } from './export.js'
import { listCommand } from './list.js'
import { optimiseMujocoCommand } from './optimise-mujoco.js'
import { renderCommand } from './render.js'
import { trainCommand } from './train.js'
import { watchCommand } from './watch.js'

/** Makers of the sub-commands, in the order of the help. */
const COMMANDS = [
  trainCommand,
  evalCommand,
  compareCommand,
  watchCommand,
  exportCommand,
  renderCommand,
  checkEnvCommand,
  configCommand,
  listCommand,
  benchCommand,
  optimiseMujocoCommand,
]

/** The command and its sub-commands. Errors are thrown, not printed: `runCommand` prints them as one line. */
export function createProgram(): Command {
  const program = new Command('hatrpo')
    .description('Trust-region multi-agent reinforcement learning in WebAssembly.')
    .version(packageVersion, '-V, --version', 'print the version')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExample:\n  hatrpo train --env mamujoco/HalfCheetah-2x3 --algo hatrpo --steps 200000',
    )
    .action((_options, command: Command) => {
      const [name] = command.args
      const commands = command.commands.map((sub) => sub.name())
      throw usageError(
        name === undefined
          ? `name a command: ${commands.join(', ')} (hatrpo --help explains them)`
          : `unknown command ${JSON.stringify(name)}: it must be one of ${commands.join(', ')}${didYouMean(name, commands)}`,
      )
    })
    .allowExcessArguments()
  for (const make of COMMANDS) program.addCommand(withVerbose(make()))
  return program
}

/** Adds the flag that all commands have. */
export function withVerbose(command: Command): Command {
  return command.option('--verbose', 'print details and the origin of an error')
}
