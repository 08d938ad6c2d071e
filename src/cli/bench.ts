import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import type { BenchOptions, Result, Rivals } from '../bench/index.js'
import { deviceNames, openSimd, simdModes, type SimdMode } from '../devices/open.js'
import type { EnvConfig } from '../envs/index.js'
import { usageError } from '../errors.js'
import { wholeFlag } from './numbers.js'

interface BenchFlags {
  env?: string[]
  rounds: string
  batch: string
  device: string
  threads?: string
  simd: string
  json?: boolean
}

/** Environments of a batch; its rows are shared out among them. */
const BATCH_UNIT = 20
const MOST_ROWS = 1_000_000
const MOST_THREADS = 256

const NO_RIVALS: Rivals = { learner: null, physics: null, policies: [] }

/** @param rivals implementations to compare with, opened when the arguments are found to be right; none by default */
export function benchCommand(rivals: () => Promise<Rivals> = async () => NO_RIVALS): Command {
  return new Command('bench')
    .description('Measure the speed of rollouts, learners and policies on this machine.')
    .argument('[name]', 'rollout, learner or inference; all three by default')
    .option('--env <id...>', 'tasks of Multi-Agent MuJoCo (default: the four with published results)')
    .option('--rounds <n>', 'rounds; each measures all sides of a comparison in turn', '5')
    .option('--batch <n>', `rows of a batch per agent, a multiple of ${BATCH_UNIT}`, '4000')
    .option('--device <name>', 'device of the learners (hatrpo list devices)', deviceNames[0])
    .option('--threads <list>', 'numbers of threads and workers (default: 1,2 if there are two cores)')
    .option('--simd <mode>', `vectors: ${simdModes.join(' or ')}`, simdModes[0])
    .option('--json', 'print {host, results: [{name, unit, median, min, max}]}')
    .addHelpText(
      'after',
      `
Prints the median, the least and the greatest value of the rounds. Figures of one run can be compared with each other;
other work on the machine affects all of them.

Examples:
  hatrpo bench
  hatrpo bench learner --env mamujoco/HalfCheetah-2x3 --rounds 3 --json`,
    )
    .action(async (name: string | undefined, flags: BenchFlags) => {
      const rounds = wholeFlag('--rounds', flags.rounds, 1, 1000)
      const batch = wholeFlag('--batch', flags.batch, BATCH_UNIT, MOST_ROWS)
      if (batch % BATCH_UNIT !== 0)
        throw usageError(
          `--batch is ${JSON.stringify(flags.batch)}: it must be a multiple of ${BATCH_UNIT}, such as ${batch - (batch % BATCH_UNIT)}`,
        )
      const threads = parseThreads(flags.threads)
      const { asJson, BENCHES, tableHead, tableRow, TASKS } = await import('../bench/index.js')
      const names = Object.keys(BENCHES)
      if (name !== undefined && !names.includes(name))
        throw usageError(`bench is ${JSON.stringify(name)}: it must be one of ${names.join(', ')}`)
      const envs = flags.env ? await parseEnvs(flags.env, TASKS) : TASKS
      await openSimd(flags.simd)
      const opened = await rivals()
      const options: BenchOptions = {
        envs,
        rounds,
        ...{ batch, device: flags.device },
        threads,
        simd: flags.simd as SimdMode,
        rivals: opened,
      }
      const print = (line: string) => void process.stdout.write(`${line}\n`)
      const results: Result[] = []
      if (!flags.json) tableHead.forEach(print)
      try {
        for (const bench of name === undefined ? names : [name]) {
          for await (const found of BENCHES[bench](options)) {
            results.push(found)
            if (!flags.json) print(tableRow(found))
          }
        }
      } finally {
        await opened.learner?.close()
      }
      if (flags.json) print(asJson(results))
    })
}

/** Numbers of threads, ascending: `1,2`. */
function parseThreads(text: string | undefined): number[] {
  if (text === undefined) return availableParallelism() > 1 ? [1, 2] : [1]
  const counts = text.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN))
  const sound = counts.every(
    (count, i) => count >= 1 && count <= MOST_THREADS && !(i > 0 && count <= counts[i - 1]),
  )
  if (sound) return counts
  throw usageError(
    `--threads is ${JSON.stringify(text)}: it must be ascending whole numbers from 1 to ${MOST_THREADS}, such as 1,2`,
  )
}

/** Tasks of the given names: listed ones as listed, others with default options. */
async function parseEnvs(ids: readonly string[], listed: readonly EnvConfig[]): Promise<EnvConfig[]> {
  const { assertEnvExists } = await import('../envs/index.js')
  return ids.map((id) => {
    if (!id.startsWith('mamujoco/') || id === 'mamujoco/custom')
      throw usageError(
        `--env is ${JSON.stringify(id)}: it must be a task of Multi-Agent MuJoCo, such as ${listed[0].id}`,
      )
    assertEnvExists(id)
    return listed.find((task) => task.id === id) ?? { id }
  })
}
