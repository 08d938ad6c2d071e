import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TrainConfig } from '../config/index.js'
import type { SimdMode } from '../devices/open.js'
import { CODE } from '../place.js'
import type { BenchOptions } from './options.js'
import { result, type Result } from './report.js'
import { counted } from './tasks.js'
import { takeTurns } from './turns.js'

const PROGRAM = fileURLToPath(new URL('../lib/bench/first-iteration.js', CODE))

/** Argument of the program that makes the first iteration of a run in a separate process. */
export interface FirstIterationTask {
  readonly config: TrainConfig
  readonly workers: number
  readonly simd: SimdMode
}

/** Its answer, in one line of JSON. */
export interface FirstIteration {
  /** Milliseconds from the start of the process to the end of the first rollout. */
  readonly rollout: number
  /** Bytes of the process in memory after the first iteration. */
  readonly memory: number
}

/** Time from the start of a process to the end of its first rollout, and the memory that it takes, by workers. */
export async function* benchStart(
  config: TrainConfig,
  name: string,
  { threads, rounds, simd }: Pick<BenchOptions, 'threads' | 'rounds' | 'simd'>,
): AsyncGenerator<Result> {
  const outcomes = await takeTurns(
    threads.map((workers) => () => firstIteration({ config, workers, simd })),
    { rounds, warmUp: 0 },
  )
  const mebibytes = (bytes: number) => bytes / 1024 / 1024
  for (const [i, workers] of threads.entries()) {
    const title = `${name} %, ${counted(workers, 'worker')}`
    const [rollouts, sizes] = [
      outcomes[i].map(({ rollout }) => rollout),
      outcomes[i].map(({ memory }) => memory),
    ]
    yield result(title.replace('%', 'start to the end of the first rollout'), 'ms', rollouts)
    yield result(title.replace('%', 'memory of the process'), 'MiB', sizes.map(mebibytes))
    if (i === 0) continue
    const more = sizes.map((size, round) => (size - outcomes[0][round].memory) / (workers - threads[0]))
    yield result(`${name} memory of a further worker`, 'MiB', more.map(mebibytes))
  }
}

function firstIteration(task: FirstIterationTask): FirstIteration {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, JSON.stringify(task)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the first iteration of a run failed: ${stderr.trim()}`)
  return JSON.parse(stdout) as FirstIteration
}
