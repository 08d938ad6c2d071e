import type { CriticReport, Improvement } from '../algorithms/method.js'
import type { TurnOutcome } from '../algorithms/schedules.js'
import type { PolicyGroup } from '../algorithms/specs.js'
import type { Rollout } from '../rollout/index.js'
import type { AgentRecord, CriticRecord, IterationRecord } from '../runs/types.js'
import { summarise } from './statistics.js'

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
  readonly improvement: Improvement
  /** Milliseconds: of the iteration, and of learning in it. */
  readonly wall: number
  readonly learner: number
  readonly workerRestarts: number
}

/** A line of metrics.jsonl. */
export function iterationRecord(facts: IterationFacts): IterationRecord {
  const { groups, iteration, rows, steps, rollout, opponent, improvement, wall, workerRestarts } = facts
  const returns = rollout.episodes.map((episode) => episode.return)
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
    episodeReturn: returns.length ? { mean: summarise(returns).mean, count: returns.length } : null,
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

/** Record of a policy, under the name of its agent or of the group that shares it. */
function agentRecord(groups: readonly PolicyGroup[], { agents, ...outcome }: TurnOutcome): AgentRecord {
  return { id: groups.find((group) => group.agents.includes(agents[0]))!.id, ...outcome }
}

/** Means over critics; steps that were skipped are added up. */
function meanReport(critics: readonly CriticReport[]): CriticRecord {
  const sum = (pick: (critic: CriticReport) => number) => critics.reduce((s, critic) => s + pick(critic), 0)
  const mean = (pick: (critic: CriticReport) => number) => sum(pick) / critics.length
  return {
    loss: mean(({ loss }) => loss),
    gradNorm: mean(({ gradNorm }) => gradNorm),
    skippedSteps: sum(({ skippedSteps }) => skippedSteps),
    explainedVariance: mean(({ explainedVariance }) => explainedVariance),
  }
}
