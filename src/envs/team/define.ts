import type { MultiAgentEnv } from '../contract.js'
import { EnvContext } from '../context.js'
import type { MujocoTeam } from './definition.js'
import { TeamEnv } from './env.js'
import { modelPath, naming, withOptions, type TeamOptions } from './options.js'
import { planTeam } from './plan.js'
import { checkSettings, type Where } from './settings.js'

/** Makes environments of a team; the default export of an environment module. */
export type MakeTeam = (options?: TeamOptions, context?: EnvContext) => Promise<MultiAgentEnv>

/**
 * Makes a team of any MuJoCo model:
 *
 *     export default defineMujocoTeam({
 *       model: new URL('./crawler.xml', import.meta.url),
 *       agents: { front: ['hip_1', 'knee_1'], back: ['hip_2', 'knee_2'] },
 *       reward: ({ read }) => read('sensor:velocity')[0],
 *     })
 *
 * in `team.ts`, then `hatrpo train --env ./team.ts`. Options from the command (`--set env.frames=10`) go before what
 * the definition says.
 * @returns a function that makes one environment; it throws HatrpoError for whatever is wrong with the definition
 */
export function defineMujocoTeam(team: MujocoTeam): MakeTeam {
  return async (options = {}, context = new EnvContext()) => {
    const subject =
      typeof team === 'object' && team !== null ? `team ${team.name ?? fileName(team.model)}` : 'team'
    const merged = withOptions(team, options)
    return makeTeamEnv(merged, merged.name, naming(merged, options, subject), context)
  }
}

/**
 * One environment of a team, tried.
 * @param id the model file's name by default
 * @internal not declared to users: the declarations of @mujoco/mujoco do not hold without skipLibCheck
 */
export async function makeTeamEnv(
  team: MujocoTeam,
  id: string | undefined,
  where: Where,
  context: EnvContext,
): Promise<TeamEnv> {
  const settings = checkSettings(team, where)
  const path = modelPath(team.model, where)
  const { model, sha256 } = await context.modelFile(path)
  const plan = planTeam(id ?? fileName(path), settings, model, where)
  const env = new TeamEnv(plan, team, model, sha256)
  env.check()
  return env
}

function fileName(model: URL | string): string {
  return String(model)
    .replace(/^.*[\\/]/s, '')
    .replace(/\.\w+$/, '')
}
