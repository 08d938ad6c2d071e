import { algorithms } from '../algorithms/table.js'
import type { BenchOptions } from './options.js'
import { result, type Result } from './report.js'
import { counted, OTHER_SOLVERS } from './tasks.js'
import { quotients, takeTurns } from './turns.js'
import { WholeUpdate, type UpdateCost, type UpdateTask } from './whole-update.js'

/** A contestant's name, and its costs, one a round. */
interface Costs {
  readonly name: string
  readonly costs: readonly UpdateCost[]
}

/** One of the updates that are compared, and the end of its results' names. */
interface Variant {
  readonly task: UpdateTask
  readonly suffix: string
}

/** A task with its own settings, and with every other solver if its method has one. */
function variantsOf(task: UpdateTask): Variant[] {
  const solvers = algorithms[task.algo].update === 'trustRegion' ? OTHER_SOLVERS : []
  const others = solvers.map((solver) => ({ task: { ...task, solver }, suffix: `, solver ${solver}` }))
  return [{ task, suffix: '' }, ...others]
}

/**
 * Cost of the update of a task with several numbers of threads and with every solver, and of its critics alone, beside
 * another implementation.
 */
export async function* benchUpdate(
  task: UpdateTask,
  { threads, rounds, rivals: { learner: rival } }: Pick<BenchOptions, 'threads' | 'rounds' | 'rivals'>,
): AsyncGenerator<Result> {
  const variants = variantsOf(task)
  const updates: WholeUpdate[] = []
  try {
    for (const variant of variants) updates.push(await WholeUpdate.create(variant.task))
    const theirs = rival ? await Promise.all(threads.map((count) => rival.open(task, count))) : []
    const contestants = threads.flatMap((count, i) => [
      ...updates.map((update) => () => update.run(count)),
      () => updates[0].runCritics(count),
      ...theirs.slice(i, i + 1),
    ])
    const each = contestants.length / threads.length
    const outcomes: UpdateCost[][] = await takeTurns(contestants, { rounds })
    const title = `${task.name} ${task.algo} update`
    for (const [i, count] of threads.entries()) {
      const where = counted(count, 'thread')
      const costs = outcomes.slice(i * each, (i + 1) * each)
      const own = costs.slice(0, variants.length)
      const [critic, other] = costs.slice(variants.length)
      for (const [v, { suffix }] of variants.entries())
        yield* costResults({ name: `${title}${suffix}, ${where}`, costs: own[v] })
      yield result(`${task.name} ${task.algo} critic, ${where}`, 'ms', walls(critic))
      if (!rival) continue
      yield* costResults({ name: `${title} of ${rival.name}, ${where}`, costs: other })
      for (const [v, { suffix }] of variants.entries())
        yield* speeds(`${title}${suffix} against ${rival.name}, ${where}`, own[v], other)
    }
    yield* scaling(title, threads, outcomes, each)
  } finally {
    for (const update of updates) await update.close()
  }
}

/** Speed with more threads than the first number of them. */
function* scaling(
  title: string,
  threads: readonly number[],
  outcomes: readonly (readonly UpdateCost[])[],
  each: number,
): Generator<Result> {
  for (const [i, count] of threads.entries()) {
    if (i === 0) continue
    const name = `${title}, ${counted(count, 'thread')} against ${threads[0]}`
    yield result(name, 'x', quotients(walls(outcomes[0]), walls(outcomes[i * each])))
  }
}

function walls(costs: readonly UpdateCost[]): number[] {
  return costs.map(({ wall }) => wall)
}

function processor(costs: readonly UpdateCost[]): number[] {
  return costs.map(({ cpu }) => cpu)
}

function* costResults({ name, costs }: Costs): Generator<Result> {
  yield result(name, 'ms', walls(costs))
  yield result(`${name}, processor`, 'ms', processor(costs))
  const trials = costs.flatMap((cost) => cost.trials ?? [])
  if (trials.some((count) => count > 0)) yield result(`${name}, line search`, 'trials', trials)
}

function* speeds(
  name: string,
  ours: readonly UpdateCost[],
  theirs: readonly UpdateCost[],
): Generator<Result> {
  yield result(name, 'x', quotients(walls(theirs), walls(ours)))
  yield result(`${name}, processor`, 'x', quotients(processor(theirs), processor(ours)))
}
