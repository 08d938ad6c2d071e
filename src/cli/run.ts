import { CommanderError, type Command } from 'commander'
import { HatrpoError } from '../errors.js'

/** The one line that a failure prints, and the command's exit code for it. */
function describe(error: unknown): { line: string; code: number } {
  if (error instanceof HatrpoError) return { line: error.message, code: error.exitCode }
  if (error instanceof CommanderError)
    return { line: error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '), code: 2 }
  const message = error instanceof Error ? error.message : String(error)
  return { line: `internal error: ${message.split('\n')[0]} (--verbose shows where)`, code: 1 }
}

/** Stack traces of an error and of its causes. */
function traces(error: unknown): string {
  if (!(error instanceof Error)) return ''
  return `${error.stack ?? error.message}\n${traces(error.cause)}`
}

/** Runs a command with arguments. A failure prints one line on standard error and sets the exit code. */
export async function runCommand(command: Command, args: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early, such as `head`, is not a failure.
    if (error.code === 'EPIPE') return
    process.stderr.write(`hatrpo: cannot write to stdout: ${error.message}\n`)
    process.exitCode = 1
  })
  for (const part of [command, ...command.commands])
    part.exitOverride().configureOutput({ writeErr: () => {} })
  try {
    await command.parseAsync(args, { from: 'user' })
  } catch (error) {
    const wantsHelp = error instanceof CommanderError && error.exitCode === 0
    if (wantsHelp) return
    const { line, code } = describe(error)
    process.stderr.write(`hatrpo: ${line}\n`)
    if (args.includes('--verbose')) process.stderr.write(traces(error))
    process.exitCode = code
  }
}
