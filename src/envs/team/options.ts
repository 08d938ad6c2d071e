import { usageError } from '../../errors.js'
import { byCloseness } from '../../text/nearest.js'
import type { MujocoTeam, View } from './definition.js'
import type { Where } from './settings.js'

export type TeamOptions = Readonly<Record<string, string | number | boolean>>

/** A team that is put together from options alone, and those of its options that name files. */
export const CUSTOM_TEAM = 'mamujoco/custom'
export const CUSTOM_TEAM_FILES = ['model', 'reward'] as const

/** The keys of a definition that options can give, and how their text is read. */
const READ: Readonly<Record<string, (text: string, team: Partial<MujocoTeam>) => Partial<MujocoTeam>>> = {
  agents: (text) => ({ agents: lists(text) }),
  observe: (text, { agents = [] }) => ({ observe: observeLists(text, agents) }),
  state: (text) => ({ state: text.split(',') as View[] }),
  frames: (text) => ({ frames: toNumber(text) }),
  timeLimit: (text) => ({ timeLimit: toNumber(text) }),
  resetNoise: (text) => ({ resetNoise: noise(text) }),
  keyframe: (text) => ({ keyframe: text }),
  controlScale: (text) => ({ controlScale: toNumber(text) }),
}

/**
 * The definition with the values that options override. Elements of lists are separated by commas, agents by slashes,
 * as in `env.agents=hip_1,knee_1/hip_2,knee_2`.
 * @param others further options besides those of all teams
 * @throws HatrpoError (exit code 2) for an unknown option
 */
export function withOptions(
  team: MujocoTeam,
  options: TeamOptions,
  others: readonly string[] = [],
): MujocoTeam {
  let merged = team
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(READ, name)) {
      const known = byCloseness(name, [...others, ...Object.keys(READ)])
      throw usageError(`env.${name}=${options[name]}: no such option; options are ${known.join(', ')}`)
    }
  }
  for (const [name, read] of Object.entries(READ)) {
    if (options[name] !== undefined) merged = { ...merged, ...read(String(options[name]), merged) }
  }
  return merged
}

/** Names of a definition's keys in errors; keys given as options have the option's name. */
export function naming(team: Partial<MujocoTeam>, options: TeamOptions, subject: string): Where {
  return (key) => {
    if (options[key] !== undefined) return `env.${key}=${options[key]}`
    const value = team[key]
    return typeof value === 'string' || typeof value === 'number'
      ? `${subject}: ${key}=${value}`
      : `${subject}: ${key}`
  }
}

/**
 * The model's path.
 * @throws HatrpoError (exit code 2) when it depends on the working directory
 */
export function modelPath(model: unknown, where: Where): string {
  if (model instanceof URL || (typeof model === 'string' && model.startsWith('file:'))) {
    const { protocol, href } = new URL(model)
    if (protocol === 'file:') return process.getBuiltinModule('node:url').fileURLToPath(href)
  } else if (typeof model === 'string' && /^([\\/]|[A-Za-z]:[\\/])/.test(model)) return model
  throw usageError(`${where('model')}: must be new URL('./robot.xml', import.meta.url), or an absolute path`)
}

function lists(text: string): string[][] {
  return text.split('/').map((list) => list.split(','))
}

function observeLists(text: string, agents: MujocoTeam['agents']): NonNullable<MujocoTeam['observe']> {
  const each = lists(text) as View[][]
  if (each.length === 1) return each[0]
  const ids = Array.isArray(agents) ? agents.map((_, k) => `agent_${k}`) : Object.keys(agents)
  if (each.length !== ids.length) {
    throw usageError(
      `env.observe=${text}: has ${each.length} lists for ${ids.length} agents: must be one list for all, or one for each`,
    )
  }
  return Object.fromEntries(ids.map((id, k) => [id, each[k]]))
}

function noise(text: string): NonNullable<MujocoTeam['resetNoise']> {
  const [position, velocity, ...more] = text.split(',').map(toNumber)
  if (more.length > 0) return NaN
  return velocity === undefined ? position : { position, velocity }
}

function toNumber(text: string): number {
  return text.trim() === '' ? NaN : Number(text)
}
