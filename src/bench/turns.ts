/** Rounds of a comparison, and those before them that warm up compilers and caches and are not counted. */
export interface Rounds {
  readonly rounds: number
  readonly warmUp?: number
}

/** Time of a piece of work in milliseconds. */
export interface Cost {
  readonly wall: number
  /** Processor time of all threads of the process. */
  readonly cpu: number
}

/**
 * Runs every contestant once a round, so that all of them meet the same state of the machine. They take turns at going
 * first.
 * @returns the outcomes of each contestant, one a round
 */
export async function takeTurns<T>(
  contestants: readonly (() => T | Promise<T>)[],
  { rounds, warmUp = 1 }: Rounds,
): Promise<T[][]> {
  const outcomes = contestants.map((): T[] => [])
  for (let round = -warmUp; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const turn = (((i + round) % contestants.length) + contestants.length) % contestants.length
      const outcome = await contestants[turn]()
      if (round >= 0) outcomes[turn].push(outcome)
    }
  }
  return outcomes
}

/** Runs a piece of work and measures it. */
export async function costOf(work: () => unknown): Promise<Cost> {
  const usage = process.cpuUsage()
  const begun = performance.now()
  await work()
  const wall = performance.now() - begun
  const { user, system } = process.cpuUsage(usage)
  return { wall, cpu: (user + system) / 1000 }
}

/** Quotients of two contestants' values, round by round. */
export function quotients(over: readonly number[], under: readonly number[]): number[] {
  return over.map((value, round) => value / under[round])
}
