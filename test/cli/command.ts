import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** File of the command. */
export const MAIN = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `hatrpo` with arguments, as in a shell. */
export function hatrpo(args: readonly string[], cwd: string): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

/** Milliseconds after which a command that should have been refused has started something instead. */
const REFUSAL_LIMIT = 120_000

const EACH = fileURLToPath(new URL('run-each.js', import.meta.url))

/** Runs `hatrpo` with each list of arguments, in one process: for commands that end before they start anything. */
export function hatrpoEach(lists: readonly (readonly string[])[], cwd: string): Outcome[] {
  const input = JSON.stringify(lists)
  const options = { cwd, input, encoding: 'utf8', timeout: REFUSAL_LIMIT, killSignal: 'SIGKILL' } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [EACH], options)
  if (status !== 0 || stderr !== '') throw new Error(`exit code ${status}: ${stderr}`)
  return JSON.parse(stdout) as Outcome[]
}
