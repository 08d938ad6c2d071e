import {
  box,
  defineEnv,
  RUNNING,
  type EnvSpec,
  type MultiAgentEnv,
  type RandomStream,
} from '../envs/index.js'
import { freshProgress } from '../rollout/index.js'
import { collectTasks } from '../rollout/source.js'
import { Collector } from '../rollout/collector.js'
import type { TeamLearner } from '../training/learner.js'

/** Half the width of a uniform distribution of variance 1. */
const HALF_WIDTH = 1.7320508075688772

/** Sizes of a cooperative team with continuous actions. */
export interface TeamShape {
  readonly agents: number
  readonly observation: number
  readonly state: number
  readonly action: number
}

/** A team of a shape, with observations that are random numbers. */
export function syntheticSpec({ agents, observation, state, action }: TeamShape): EnvSpec {
  return {
    id: 'synthetic',
    agents: Array.from({ length: agents }, (_, i) => ({
      id: `agent_${i}`,
      observation: box(observation),
      action: box(action, -1, 1),
    })),
    stateSize: state,
    timeLimit: Infinity,
    mode: 'cooperative',
  }
}

/**
 * An environment with the spaces of another one, whose observations, state and rewards are independent random numbers of
 * mean 0 and variance 1. Its episodes never end.
 */
function syntheticEnv(spec: EnvSpec): MultiAgentEnv {
  const widest = Math.max(spec.stateSize, ...spec.agents.map(({ observation }) => observation.size))
  const draw = (random: RandomStream) => HALF_WIDTH * (2 * random.uniform() - 1)
  const make = defineEnv({
    spec: { ...spec, timeLimit: Infinity },
    // Each agent sees its own part, shifted by one number against that of the agent before, unless all see the state.
    memory: () => ({ seen: new Float32Array(widest + spec.agents.length) }),
    reset: ({ memory, random }) => {
      memory.seen.forEach((_, i, seen) => (seen[i] = draw(random)))
    },
    step: ({ memory, random, rewards }) => {
      memory.seen.forEach((_, i, seen) => (seen[i] = draw(random)))
      rewards.fill(draw(random))
      return RUNNING
    },
    observe: ({ memory: { seen }, observations, state }) => {
      observations.forEach((observation, i) => {
        const from = spec.observesState ? 0 : i
        observation.set(seen.subarray(from, from + observation.length))
      })
      state.set(seen.subarray(0, state.length))
    },
  })
  return make()
}

/** Fills a learner's storage with a rollout of its policies in synthetic environments. */
export function fillWithNoise(learner: TeamLearner): void {
  const { host, storage, config, env, plan } = learner
  const envs = Array.from({ length: config.envs }, () => syntheticEnv(env))
  const policies = learner.workerPolicies([config.envs])
  policies.prepare()
  const { oneReward, scored = null } = plan.play
  const setup = { seed: config.seed, layout: storage.layout, oneReward, scored }
  const signals = { pulse: () => {}, stopped: () => false }
  const collector = new Collector(host.kernels, envs, setup, signals)
  const share = { first: 0, count: config.envs }
  const [task] = collectTasks([share], policies, freshProgress(config.envs), 0, storage)
  collector.collect(task)
}
