import type { EnvSpec } from '../envs/contract.js'
import { taskName } from '../envs/portable.js'
import { usageError } from '../errors.js'
import { bundleFiles } from '../export/bundle.js'
import { readBundle } from '../export/read.js'
import { readRunEnvSha256 } from '../runs/folder.js'
import { loadBundle } from '../runtime/bundle.js'
import { loadBundleEnv } from './bundle-env.js'
import { tellOfChange } from './env-change.js'
import { createPlayers, playEpisodes, type Players, type Spectator } from './evaluate-bundle.js'
import { expectWhole, isRun, refuseCheckpoint } from './evaluate.js'
import { runPolicies } from './export.js'
import { Cameraman, pictureWriter, shoot } from './filming.js'
import {
  DEFAULTS,
  expectWritable,
  type RenderedFile,
  type RenderOptions,
  type RenderResult,
} from './render-options.js'
import { summarise } from './statistics.js'
import { TRAJECTORY_ENDINGS, trajectoryEnding, TrajectoryRecorder } from './trajectory.js'

export type { RenderedFile, RenderOptions, RenderResult } from './render-options.js'

/**
 * Plays whole episodes with deterministic actions, draws them, and writes trajectories.
 * @throws HatrpoError (exit code 2) for invalid options, and for pictures of an environment that cannot be drawn
 */
export async function render(options: RenderOptions): Promise<RenderResult> {
  const { out, trajectory, episodes = DEFAULTS.episodes, seed = DEFAULTS.seed } = options
  expectWhole('episodes', episodes, 1)
  expectWhole('seed', seed, 0)
  const draw = out === undefined ? undefined : pictureWriter(out)
  const ending = trajectory === undefined ? undefined : expectTrajectory(trajectory)
  const { players, env } = await openPlayers(options)
  const spectators: Spectator[] = []
  const { spec } = players.task
  const recorder =
    ending === undefined ? undefined : new TrajectoryRecorder(players.task, aboutOf(spec, seed), ending)
  if (recorder) spectators.push(recorder)
  const camera = draw && new Cameraman(players, options)
  if (camera) spectators.push(camera)
  const { returns } = await playEpisodes(players, { episodes, seed }, together(spectators))
  const files: RenderedFile[] = []
  if (recorder) files.push({ path: trajectory!, bytes: recorder.write(trajectory!) })
  if (camera && draw) files.push(await shoot(camera, draw, options))
  return { env, returns, ...summarise(returns), files }
}

/** Policies of a run or of a bundle in their environment. */
async function openPlayers({
  source,
  checkpoint,
  env,
  onEvent,
}: RenderOptions): Promise<{ players: Players; env: string }> {
  if (!isRun(source)) {
    refuseCheckpoint(source, checkpoint)
    const bundle = await readBundle(source)
    const factory = await loadBundleEnv(source, bundle.info, env)
    tellOfChange(factory.config.id, bundle.info.environmentSha256, factory.sha256, onEvent)
    return { players: await createPlayers(source, bundle, factory), env: taskName(factory) }
  }
  const { policies, origin, factory } = await runPolicies(source, checkpoint ?? 'latest', env)
  tellOfChange(factory.config.id, readRunEnvSha256(source), factory.sha256, onEvent)
  const files = new Map((await bundleFiles(policies, origin)).map(({ name, bytes }) => [name, bytes]))
  const bundle = await loadBundle((name) => files.get(name)!)
  return { players: await createPlayers(source, bundle, factory), env: taskName(factory) }
}

function together(spectators: readonly Spectator[]): Spectator {
  return {
    begun: () => spectators.forEach((spectator) => spectator.begun()),
    chosen: () => spectators.forEach((spectator) => spectator.chosen()),
    stepped: (total, end) => spectators.forEach((spectator) => spectator.stepped(total, end)),
  }
}

function aboutOf(spec: EnvSpec, seed: number) {
  const agents = spec.agents.map(({ id }) => id)
  return { environment: spec.id, agents, seed, stepSeconds: spec.stepSeconds ?? null }
}

function expectTrajectory(path: string): string {
  const ending = trajectoryEnding(path)
  if (ending === undefined)
    throw usageError(
      `trajectory is ${JSON.stringify(path)}: its name must end with ${TRAJECTORY_ENDINGS.join(' or ')}`,
    )
  expectWritable(path)
  return ending
}
