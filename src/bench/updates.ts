import type { BenchOptions } from './options.js'
import { result, type Result } from './report.js'
import { counted } from './tasks.js'
import { quotients, takeTurns } from './turns.js'
import { WholeUpdate, type UpdateCost, type UpdateTask } from './whole-update.js'

/** A contestant's name, and its costs, one a round. */
interface Costs {
  readonly name: string
  readonly costs: readonly UpdateCost[]
}

/**
 * Cost of the update of a task with several numbers of threads, and of its critics alone, beside another implementation.
 */
export async function* benchUpdate(
  task: UpdateTask,
  { threads, rounds, rivals: { learner: rival } }: Pick<BenchOptions, 'threads' | 'rounds' | 'rivals'>,
): AsyncGenerator<Result> {
  const ours = await WholeUpdate.create(task)
  try {
    const theirs = rival ? await Promise.all(threads.map((count) => rival.open(task, count))) : []
    const contestants = threads.flatMap((count, i) => [
      () => ours.run(count),
      ...theirs.slice(i, i + 1),
      () => ours.runCritics(count),
    ])
    const each = contestants.length / threads.length
    const outcomes: UpdateCost[][] = await takeTurns(contestants, { rounds })
    for (const [i, count] of threads.entries()) {
      const own = outcomes.slice(i * each, (i + 1) * each)
      const title = `${task.name} ${task.algo} update`
      const where = counted(count, 'thread')
      yield* costResults({ name: `${title}, ${where}`, costs: own[0] })
      yield result(`${task.name} ${task.algo} critic, ${where}`, 'ms', walls(own.at(-1)!))
      if (rival) yield* comparison(title, where, own[0], { name: rival.name, costs: own[1] })
    }
    for (const [i, count] of threads.entries()) {
      if (i === 0) continue
      const name = `${task.name} ${task.algo} update, ${counted(count, 'thread')} against ${threads[0]}`
      yield result(name, 'x', quotients(walls(outcomes[0]), walls(outcomes[i * each])))
    }
  } finally {
    await ours.close()
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

function* comparison(
  title: string,
  where: string,
  ours: readonly UpdateCost[],
  theirs: Costs,
): Generator<Result> {
  yield* costResults({ name: `${title} of ${theirs.name}, ${where}`, costs: theirs.costs })
  const speed = (pick: typeof walls) => quotients(pick(theirs.costs), pick(ours))
  yield result(`${title} against ${theirs.name}, ${where}`, 'x', speed(walls))
  yield result(`${title} against ${theirs.name}, ${where}, processor`, 'x', speed(processor))
}
