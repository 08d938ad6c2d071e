import type { PolicyGroup } from '../algorithms/specs.js'
import { breadthOf } from '../learner/heads/table.js'
import type { Rollout } from '../rollout/index.js'
import type { AgentRecord, CriticRecord, IterationRecord } from '../runs/types.js'
import { spread } from './statistics.js'

/** Effect of an iteration on policies and critics; none of either where nothing was learned. */
export interface LearningOutcome {
  readonly turns: readonly (Omit<AgentRecord, 'id'> & { readonly agents: readonly number[] })[]
  readonly critics: readonly CriticRecord[]
}

/** Everything that an iteration's record is made from. */
export interface IterationFacts {
  readonly groups: readonly PolicyGroup[]
  readonly iteration: number
  /** Steps of all environments: in this iteration, and since the start of the run. */
  readonly rows: number
  readonly steps: number
  readonly rollout: Rollout
  /** Name of the opponent that was met, where one team learns. */
  readonly opponent: string | undefined
  readonly improvement: LearningOutcome
  /** Milliseconds: of the iteration, and of learning in it. */
  readonly wall: number
  readonly learner: number
  readonly workerRestarts: number
}

/** A line of metrics.jsonl. */
export function iterationRecord(facts: IterationFacts): IterationRecord {
  const { groups, iteration, rows, steps, rollout, opponent, improvement, wall, workerRestarts } = facts
  const share = rollout.time.wall / wall
  const physics = rollout.time.physics * share
  const policy = rollout.time.policy * share
  const learner = facts.learner / wall
  const turns = [...improvement.turns].sort((a, b) => a.agents[0] - b.agents[0])
  const { critics } = improvement
  return {
    iteration,
    steps,
    seconds: wall / 1000,
    stepsPerSecond: rows / (wall / 1000),
    ...episodeRecords(rollout.episodes),
    agents: turns.map((turn) => agentRecord(groups, turn)),
    ...(opponent !== undefined && { opponent }),
    critic: meanReport(critics),
    ...(critics.length > 1 && { critics }),
    time: { physics, policy, learner, rest: Math.max(0, 1 - physics - policy - learner) },
    faults: {
      workerRestarts,
      environmentRestarts: rollout.environmentRestarts,
      brokenSteps: rollout.faults.length,
    },
  }
}

/** Returns and lengths of the episodes that ended. */
function episodeRecords(
  episodes: Rollout['episodes'],
): Pick<IterationRecord, 'episodeReturn' | 'episodeLength'> {
  if (episodes.length === 0) return { episodeReturn: null, episodeLength: null }
  const { mean, ...range } = spread(episodes.map((episode) => episode.return))
  const { sd: _, ...length } = spread(episodes.map(({ steps }) => steps))
  return { episodeReturn: { mean, count: episodes.length, ...range }, episodeLength: length }
}

/** Record of a policy, under the name of its agent or of the group that shares it. */
function agentRecord(
  groups: readonly PolicyGroup[],
  { agents, ...outcome }: LearningOutcome['turns'][number],
): AgentRecord {
  const { id, spec } = groups.find((group) => group.agents.includes(agents[0]))!
  const { entropy } = outcome
  return { id, ...outcome, ...(entropy !== undefined && breadthOf(spec.head, entropy)) }
}

/** Means over critics; steps that were skipped are added up. */
function meanReport(critics: readonly CriticRecord[]): CriticRecord {
  const sum = (pick: (critic: CriticRecord) => number) => critics.reduce((s, critic) => s + pick(critic), 0)
  const mean = (pick: (critic: CriticRecord) => number) => sum(pick) / critics.length
  const report = {
    loss: mean(({ loss }) => loss),
    gradNorm: mean(({ gradNorm }) => gradNorm),
    skippedSteps: sum(({ skippedSteps }) => skippedSteps),
  }
  const extra = (['explainedVariance', 'meanValue'] as const).filter((key) =>
    critics.some((critic) => critic[key] !== undefined),
  )
  return { ...report, ...Object.fromEntries(extra.map((key) => [key, mean((critic) => critic[key]!)])) }
}
