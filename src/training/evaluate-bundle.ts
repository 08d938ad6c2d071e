import { EnvContext, RUNNING, type EnvFactory, type EnvSpec, type MultiAgentEnv } from '../envs/index.js'
import { maskOf } from '../envs/available.js'
import { taskName } from '../envs/portable.js'
import { actionSize, maskSize } from '../envs/shape.js'
import { HatrpoError } from '../errors.js'
import { readBundle } from '../export/read.js'
import { loadKernels, PURPOSE } from '../kernels/index.js'
import {
  callEnv,
  episodeSeed,
  joinAgents,
  joinedSpec,
  teamReward,
  type EpisodeOutcomes,
} from '../rollout/index.js'
import { PolicyError, type Bundle, type Policy } from '../runtime/index.js'
import { actionSize as entriesOf, choiceCount } from '../runtime/info.js'
import { loadBundleEnv } from './bundle-env.js'
import { thrownLine } from '../text/thrown.js'
import { tellOfChange } from './env-change.js'

interface BundleEvaluation {
  /** Folder of the bundle. */
  readonly source: string
  readonly episodes: number
  readonly seed: number
  readonly env?: string
  readonly sample?: boolean
  onEvent?(message: string): void
}

/** Runs episodes of a bundle's policies, on this thread. */
export async function evaluateBundle({
  source: folder,
  episodes,
  seed,
  env: named,
  sample = false,
  onEvent,
}: BundleEvaluation): Promise<EpisodeOutcomes & { readonly env: string }> {
  const bundle = await readBundle(folder)
  const factory = await loadBundleEnv(folder, bundle.info, named)
  tellOfChange(factory.config.id, bundle.info.environmentSha256, factory.sha256, onEvent)
  const players = await createPlayers(folder, bundle, factory)
  return { env: taskName(factory), ...(await playEpisodes(players, { episodes, seed, sample })) }
}

/** Policies of a bundle in their environment. */
export interface Players {
  /** The environment as the policies play it, and as its own agents do. */
  readonly env: MultiAgentEnv
  readonly task: MultiAgentEnv
  readonly agents: readonly Policy[]
  /** Agents whose mean reward is the return of an episode; null for all. */
  readonly scored: readonly number[] | null
}

/**
 * Makes the environment that policies play in.
 * @param name of the bundle, in errors
 * @throws HatrpoError when the policies do not fit the environment
 */
export async function createPlayers(
  name: string,
  { info, agents }: Bundle,
  factory: EnvFactory,
): Promise<Players> {
  const joined = agents[0].info.agent.controls !== undefined
  const fitting = joined && factory.spec.mode === 'cooperative' ? joinedSpec(factory.spec) : factory.spec
  assertFits(name, fitting, agents)
  const task = await factory.create(new EnvContext())
  const env = joined ? joinAgents(task) : task
  const { learners } = info
  const scored = learners
    ? fitting.agents.flatMap(({ id }, agent) => (learners.includes(id) ? [agent] : []))
    : null
  return { env, task, agents, scored }
}

/** Observer of episodes. */
export interface Spectator {
  /** An episode was reset. */
  begun(): void
  /** The policies have chosen, and the step is about to be made. */
  chosen(): void
  /**
   * The step was made.
   * @param total return so far
   * @param end RUNNING, TERMINATED or TRUNCATED
   */
  stepped(total: number, end: number): void
}

/** Episodes that policies play. */
interface Series {
  readonly episodes: number
  readonly seed: number
  /** Whether actions are drawn from the policies, in place of their modes. */
  readonly sample?: boolean
}

/**
 * Plays whole episodes, then ends the environment.
 * @throws HatrpoError for observations and actions that are not finite, and for exceptions of the environment
 */
export async function playEpisodes(
  players: Players,
  { episodes, seed, sample = false }: Series,
  spectator?: Spectator,
): Promise<EpisodeOutcomes> {
  const { env, agents } = players
  const kernels = await loadKernels()
  const returns: number[] = []
  const lengths: number[] = []
  try {
    for (const agent of agents) agent.seed(seed)
    for (let episode = 0; episode < episodes; episode++) {
      const start = episodeSeed(kernels, seed, PURPOSE.evaluation, episode, 0)
      ask(env, `reset(${start})`, () => env.reset(start))
      const outcome = playEpisode(players, sample, spectator)
      returns.push(outcome.return)
      lengths.push(outcome.steps)
    }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new HatrpoError(`evaluation episode ${returns.length}: ${error.message}`, { cause: error })
  } finally {
    ask(env, 'dispose()', () => env.dispose?.())
  }
  return { returns, lengths }
}

/** Calls an environment on this thread. @throws HatrpoError for its exceptions, naming it and the call */
export function ask<T>(env: MultiAgentEnv, call: string, run: () => T): T {
  try {
    return callEnv(env, call, run)
  } catch (error) {
    throw error instanceof HatrpoError ? error : new HatrpoError(thrownLine(error), { cause: error })
  }
}

function playEpisode(
  { env, agents, scored }: Players,
  sample: boolean,
  spectator: Spectator | undefined,
): { readonly return: number; readonly steps: number } {
  for (const agent of agents) agent.reset()
  spectator?.begun()
  let total = 0
  let steps = 0
  let end = RUNNING
  const step = () => env.step()
  while (end === RUNNING) {
    agents.forEach((agent, i) => {
      const args = [env.observations[i], env.actions[i], maskOf(env, i)] as const
      if (sample) agent.sample(...args)
      else agent.act(...args)
    })
    spectator?.chosen()
    end = ask(env, 'step()', step)
    total += teamReward(env, scored)
    steps++
    spectator?.stepped(total, end)
  }
  return { return: total, steps }
}

function assertFits(folder: string, spec: EnvSpec, agents: readonly Policy[]): void {
  const fits =
    agents.length === spec.agents.length &&
    agents.every(({ info }, i) => {
      const { observation, action } = spec.agents[i]
      return (
        info.observation.size === observation.size &&
        info.action.kind === action.kind &&
        choiceCount(info.action) === maskSize(action) &&
        entriesOf(info.action) === actionSize(action)
      )
    })
  if (!fits) throw new HatrpoError(`bundle ${folder} was not made for ${spec.id}: agents or sizes differ`)
}
