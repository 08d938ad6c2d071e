import { readFileSync } from 'node:fs'

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * Identifier that distinguishes a process from a later one with the same number: the machine's boot and the start of
 * the process in it.
 *
 * @returns undefined for a process that has ended, '' on systems without /proc
 */
export function processStart(pid: number): string | undefined {
  const boot = readText('/proc/sys/kernel/random/boot_id')
  if (boot === undefined) return signalled(pid) ? '' : undefined
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The command's name is in brackets and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTicks] = [fields[0], fields[19]]
  const ended = state === 'Z' || state === 'X'
  return ended ? undefined : `${boot.trim()}:${startTicks}`
}

/** Whether a process can be signalled, or exists and belongs to someone else. */
function signalled(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
