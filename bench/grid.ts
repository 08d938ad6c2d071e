import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One training of a grid. */
export interface Training {
  /** Of its run folder and its result, within the grid's folder. */
  readonly name: string
  /** Flags and settings of the command, without its folder and workers. */
  readonly args: readonly string[]
}

/** Numbers of `1-10` or `1,2,5`. */
export function seedsOf(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

/**
 * Trains a grid, each training in a separate process, and writes the `result` of its folder to `out`/NAME.json. Stopped
 * trainings are continued, and finished ones are skipped. A failed training writes its last line on stderr to
 * `out`/NAME.error, does not prevent the others, and is repeated by the next call.
 * @param options `jobs`: number of simultaneous trainings; `flags`: flags of each training that do not affect results
 * @throws Error naming the failed trainings, with that line
 */
export async function trainGrid<T extends Training>(
  out: string,
  trainings: readonly T[],
  options: { readonly jobs: number; readonly flags: readonly string[] },
  result: (training: T, dir: string) => unknown,
): Promise<void> {
  mkdirSync(out, { recursive: true })
  const waiting = trainings.filter(({ name }) => !existsSync(join(out, `${name}.json`)))
  const failed: string[] = []
  let done = trainings.length - waiting.length
  const work = async (): Promise<void> => {
    for (let training = waiting.shift(); training; training = waiting.shift()) {
      const begun = performance.now()
      const dir = join(out, training.name)
      const error = join(out, `${training.name}.error`)
      rmSync(error, { force: true })
      const { code, last } = await train(training, dir, options.flags)
      if (code !== 0) {
        writeFileSync(error, last)
        failed.push(`${training.name} ended with exit code ${String(code)}: ${last}`)
        continue
      }
      writeFileSync(join(out, `${training.name}.json`), JSON.stringify(result(training, dir)))
      const minutes = ((performance.now() - begun) / 60_000).toFixed(1)
      console.log(`${++done} of ${trainings.length}: ${training.name}, ${minutes} minutes`)
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, work))
  if (failed.length > 0) throw new Error(failed.join('; '))
}

/** Trains, or continues. @returns the exit code, null for a process that was killed, and the last line on stderr */
async function train(
  { args }: Training,
  dir: string,
  flags: readonly string[],
): Promise<{ code: number | null; last: string }> {
  const where = existsSync(join(dir, 'config.json')) ? ['--resume', dir] : [...args, '--out', dir]
  const main = join(import.meta.dirname, '../lib/cli/main.js')
  const child = spawn(process.execPath, [main, 'train', ...where, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let end = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text)
    end = (end + text).slice(-4000)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, last: end.trim().split('\n').at(-1)! }
}
