// Time of an update of all agents and the critic on synthetic data, against the batch, the number of agents, the width of
// the hidden layers and the number of threads. Prints a table in Markdown.
//   node dist/bench/scaling.js [batch|agents|hidden ...] [--algo NAME] [--rounds N] [--threads 1,2] [--json]
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { METHODS, counted } from '../src/bench/tasks.js'
import { asJson, host, result, type Result } from '../src/bench/report.js'
import { syntheticSpec } from '../src/bench/synthetic.js'
import { quotients, takeTurns } from '../src/bench/turns.js'
import { WholeUpdate, type UpdateTask } from '../src/bench/whole-update.js'
import { usageError } from '../src/errors.js'
import { runMain } from './run-main.js'

interface Point {
  readonly batch: number
  readonly agents: number
  readonly hidden: number
}

/** Point that the sweeps have in common: HalfCheetah-2x3. */
const BASE: Point = { batch: 4000, agents: 2, hidden: 128 }

/** Values of each sweep. */
const SWEEPS: Readonly<Record<keyof Point, readonly number[]>> = {
  batch: [1000, 4000, 16_000, 64_000],
  agents: [2, 8, 32],
  hidden: [64, 128, 256, 512],
}

function taskOf({ batch, agents, hidden }: Point, algo: UpdateTask['algo']): UpdateTask {
  const spec = syntheticSpec({ agents, observation: 17, state: 17, action: 3 })
  const name = `batch ${batch}, ${counted(agents, 'agent')}, hidden ${hidden}`
  return { name, spec, algo, hidden: [hidden, hidden, hidden], batch }
}

/** Milliseconds of an update, per number of threads, one a round. */
async function measure(task: UpdateTask, threads: readonly number[], rounds: number): Promise<number[][]> {
  const update = await WholeUpdate.create(task)
  try {
    const outcomes = await takeTurns(
      threads.map((count) => () => update.run(count)),
      { rounds },
    )
    return outcomes.map((costs) => costs.map(({ wall }) => wall))
  } finally {
    await update.close()
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      algo: { type: 'string', default: METHODS[0] },
      rounds: { type: 'string', default: '3' },
      threads: { type: 'string', default: availableParallelism() > 1 ? '1,2' : '1' },
      json: { type: 'boolean', default: false },
    },
  })
  const names = Object.keys(SWEEPS) as (keyof Point)[]
  const unknown = positionals.find((name) => !(names as string[]).includes(name))
  if (unknown !== undefined)
    throw usageError(`sweep is ${JSON.stringify(unknown)}: it must be one of ${names.join(', ')}`)
  const algo = METHODS.find((name) => name === values.algo)
  if (algo === undefined)
    throw usageError(`--algo is ${JSON.stringify(values.algo)}: it must be one of ${METHODS.join(', ')}`)
  const threads = values.threads.split(',').map(Number)
  const rounds = Number(values.rounds)
  if (![...threads, rounds].every((count) => Number.isSafeInteger(count) && count >= 1))
    throw usageError('--rounds and --threads: they must be whole numbers from 1')
  const sweeps = names.filter((name) => positionals.length === 0 || positionals.includes(name))
  return { sweeps, algo, threads, rounds, json: values.json }
}

async function main(): Promise<void> {
  const { sweeps, algo, threads, rounds, json } = options()
  const results: Result[] = []
  const print = (line: string) => {
    if (!json) console.log(line)
  }
  print(
    `${algo}, observation 17, 3 actions, three hidden layers, ${rounds} rounds (${host.cpu}, Node ${host.node})\n`,
  )
  const titles = ['batch', 'agents', 'hidden', ...threads.map((count) => `${counted(count, 'thread')}, ms`)]
  if (threads.length > 1) titles.push('speed-up')
  titles.push('us per row and agent')
  print(row(titles))
  print(row(titles.map(() => '---')))
  for (const sweep of sweeps) {
    for (const value of SWEEPS[sweep]) {
      const point: Point = { ...BASE, [sweep]: value }
      const task = taskOf(point, algo)
      const walls = await measure(task, threads, rounds)
      const found = threads.map((count, i) =>
        result(`${task.name}, ${counted(count, 'thread')}`, 'ms', walls[i]),
      )
      results.push(...found)
      const cells = [point.batch, point.agents, point.hidden].map(String)
      for (const { median } of found) cells.push(median.toFixed(0))
      if (threads.length > 1) {
        const speedUp = result(`${task.name}, speed-up`, 'x', quotients(walls[0], walls.at(-1)!))
        results.push(speedUp)
        cells.push(speedUp.median.toFixed(2))
      }
      cells.push(((1000 * found[0].median) / point.batch / point.agents).toFixed(1))
      print(row(cells))
    }
  }
  if (json) console.log(asJson(results))
}

await runMain(main)
