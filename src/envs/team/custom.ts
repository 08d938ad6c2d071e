import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { usageError } from '../../errors.js'
import type { EnvContext } from '../context.js'
import type { EnvConfig, EnvFactory } from '../factory.js'
import { combineDigests, importSource } from '../source.js'
import { makeTeamEnv } from './define.js'
import type { TeamFunctions, TeamSettings } from './definition.js'
import { CUSTOM_TEAM_FILES, naming, withOptions, type TeamOptions } from './options.js'
import { checkSettings } from './settings.js'

/** Options that must be given. */
const REQUIRED: Readonly<Record<string, string>> = {
  model: 'an MJCF file, such as env.model=./robot.xml',
  agents: 'the actuators of each agent, such as env.agents=hip_1,knee_1/hip_2,knee_2',
  reward:
    'a TypeScript or JavaScript file that exports a function reward({ read }), such as env.reward=./reward.ts',
}
const FUNCTIONS = ['reward', 'terminated', 'start', 'keep'] as const

/**
 * Factory of a team defined by options: `model`, `agents`, `reward`, a file that exports `reward` and optionally
 * `terminated`, `start` and `keep`, and the options of all teams.
 * @throws HatrpoError for a missing or wrong option, a model that does not compile, or invalid functions
 */
export async function loadCustomTeam(
  { id, ...options }: EnvConfig,
  context: EnvContext,
): Promise<EnvFactory> {
  for (const [name, what] of Object.entries(REQUIRED)) {
    if (options[name] === undefined)
      throw usageError(`environment ${id}: env.${name} is missing: it must be ${what}`)
  }
  const { model: modelFile, reward, ...others } = options
  const model = absolute(String(modelFile))
  const { path, module, sha256: code } = await importSource(absolute(String(reward)), 'reward')
  const functions = pickFunctions(module, `env.reward=${reward}`)
  const team = withOptions({ model, agents: [], ...functions }, others, CUSTOM_TEAM_FILES)
  const where = naming({}, options, basename(path))
  const create = (context: EnvContext) => makeTeamEnv(team, id, where, context)
  const env = await create(context)
  const sha256 = combineDigests(code, env.dataSha256)
  const { spec } = env
  env.dispose()
  const config = { id, model, reward: path, ...defaults(checkSettings(team, where)), ...others }
  return { config, spec, sha256, create }
}

/** Values of the options that were not given. */
function defaults({ frames, timeLimit, resetNoise: { position, velocity } }: TeamSettings): TeamOptions {
  const resetNoise = position === velocity ? position : `${position},${velocity}`
  return { observe: 'all', frames, timeLimit, resetNoise }
}

/** A file's absolute path, the same for every thread. */
function absolute(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : resolve(file)
}

function pickFunctions(module: Readonly<Record<string, unknown>>, what: string): TeamFunctions {
  if (typeof module['reward'] !== 'function') {
    const found = Object.keys(module).join(', ') || 'nothing'
    throw usageError(
      `${what}: exports ${found}: it must export a function reward({ read }) that returns a number`,
    )
  }
  const given = FUNCTIONS.filter((name) => module[name] !== undefined).map((name) => [name, module[name]])
  return Object.fromEntries(given) as TeamFunctions
}
