import { algorithms } from '../algorithms/table.js'
import { makeEnvFactory } from '../envs/index.js'
import type { BenchOptions } from './options.js'
import { benchProducts } from './products.js'
import { result, type Result } from './report.js'
import { counted, HIDDEN, METHODS, taskName } from './tasks.js'
import { takeTurns } from './turns.js'
import { benchUpdate } from './updates.js'
import { WholeUpdate, type UpdateTask } from './whole-update.js'

/** Matrix products, updates of the tasks, and the parts of a trust-region step. */
export async function* benchLearner(options: BenchOptions): AsyncGenerator<Result> {
  yield* benchProducts(options)
  for (const env of options.envs) {
    const { spec } = makeEnvFactory(env)
    for (const algo of METHODS) {
      const { batch, device } = options
      const task = { name: taskName(env), spec, algo, hidden: HIDDEN, batch, device }
      yield* benchUpdate(task, options)
      if (algorithms[algo].update === 'trustRegion') yield* benchStep(task, options)
    }
  }
}

/** Parts of the step of one policy. */
async function* benchStep(
  task: UpdateTask,
  { threads, rounds }: Pick<BenchOptions, 'threads' | 'rounds'>,
): AsyncGenerator<Result> {
  const update = await WholeUpdate.create(task)
  try {
    const outcomes = await takeTurns(
      threads.map((count) => () => update.runStep(count)),
      { rounds },
    )
    for (const [i, count] of threads.entries()) {
      const part = (name: string, pick: (parts: (typeof outcomes)[number][number]) => number) =>
        result(`${task.name} ${name}, ${counted(count, 'thread')}`, 'ms', outcomes[i].map(pick))
      yield part('gradient of a policy', ({ gradient }) => gradient)
      yield part('conjugate-gradient product', ({ product }) => product)
      yield part('line search', ({ search }) => search)
    }
  } finally {
    await update.close()
  }
}
