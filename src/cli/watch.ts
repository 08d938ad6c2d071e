import { existsSync, statSync } from 'node:fs'
import { Command } from 'commander'
import { usageError } from '../errors.js'
import { Interrupt } from './interrupt.js'
import { wholeFlag } from './numbers.js'

/** The folder that `train` makes runs in, watched where none is named. */
const RUNS = 'runs'

export function watchCommand(): Command {
  return new Command('watch')
    .description('Serve a page on this machine that follows running and finished runs.')
    .argument('[dirs...]', `run folders, or folders of run folders (default: ${RUNS})`)
    .option('--port <n>', 'port of the page, 0 for any that is free', '7006')
    .addHelpText(
      'after',
      `
The page is only accessible from this machine. To open it on another machine:
  ssh -L 7006:127.0.0.1:7006 SERVER

Example:
  hatrpo watch runs`,
    )
    .action(async (dirs: readonly string[], flags: { port: string }) => {
      const port = wholeFlag('--port', flags.port, 0, 65_535)
      for (const dir of dirs) assertFolder(dir)
      const [{ Watch }, { serveWatch }] = await Promise.all([
        import('../web/watch.js'),
        import('../web/server.js'),
      ])
      const watch = new Watch(dirs.length > 0 ? dirs : [RUNS])
      const server = await serveWatch(watch, port, (error) =>
        process.stderr.write(`hatrpo: ${error instanceof Error ? error.message : String(error)}\n`),
      )
      const { count } = watch
      process.stderr.write(`${count === 1 ? '1 run' : `${count} runs`} so far; Ctrl-C ends\n`)
      process.stdout.write(`${server.url}\n`)
      process.exitCode = await interrupted()
      server.close()
    })
}

function assertFolder(dir: string): void {
  if (!existsSync(dir)) throw usageError(`there is no folder at ${JSON.stringify(dir)}`)
  if (!statSync(dir).isDirectory())
    throw usageError(`${JSON.stringify(dir)} is a file: name a folder of runs`)
}

/** Waits for the first signal. @returns its exit code */
function interrupted(): Promise<number> {
  return new Promise((resolve) => {
    const interrupt: Interrupt = new Interrupt(() => {
      interrupt.stop()
      resolve(interrupt.exitCode!)
    })
  })
}
