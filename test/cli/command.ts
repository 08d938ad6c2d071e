import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** File of the command. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

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
