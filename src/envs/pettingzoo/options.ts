import { usageError } from '../../errors.js'
import type { EnvConfig } from '../factory.js'

const PREFIX = 'pettingzoo:'
/** A file and its factory, behind the prefix of an id. */
const PYTHON_FILE = /^(.+\.py)(?::([\w.]+))?$/
const REWARDS = ['sum', 'mean', 'each'] as const

/** The environment that Python runs, and its settings. */
export interface PettingZooOptions {
  /** Path of a Python file; empty when `module` is given. */
  readonly file: string
  readonly module: string
  readonly factory: string
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly python: string
  readonly rewards: (typeof REWARDS)[number]
  /** Steps; 0 when there is none. */
  readonly timeLimit: number | 'auto'
  /** Seconds. */
  readonly timeout: number
}

/** Whether an id names a Python environment. */
export function isPettingZooId(id: string): boolean {
  return id.startsWith(PREFIX)
}

/**
 * Reads an id and its options.
 * @returns them, and the configuration with every option filled in, a file's path absolute
 * @throws HatrpoError (exit code 2) for a wrong id, option or value
 */
export function readOptions({ id, ...given }: EnvConfig): { options: PettingZooOptions; config: EnvConfig } {
  const { python = 'python3', kwargs = '{}', rewards = 'sum', timeLimit = 'auto', timeout = 60 } = given
  for (const key of Object.keys(given)) {
    if (!['python', 'kwargs', 'rewards', 'timeLimit', 'timeout'].includes(key)) {
      throw usageError(
        `unknown option env.${key} of ${id}: there are kwargs, python, rewards, timeLimit, timeout`,
      )
    }
  }
  const target = readTarget(id)
  const options: PettingZooOptions = {
    ...target,
    kwargs: readKwargs(kwargs),
    python: readPython(python),
    rewards: readRewards(rewards),
    timeLimit: readTimeLimit(timeLimit),
    timeout: readTimeout(timeout),
  }
  const config = {
    id: `${PREFIX}${target.file || target.module}:${target.factory}`,
    kwargs: JSON.stringify(options.kwargs),
    python: options.python,
    rewards: options.rewards,
    timeLimit: options.timeLimit,
    timeout: options.timeout,
  }
  return { options, config }
}

/**
 * Replaces the paths of a Python environment's configuration: its file, and an interpreter that is given as a path.
 * @returns undefined for an environment that is not Python's
 */
export function mapPythonPaths(
  config: EnvConfig,
  map: (path: string, kind: 'code' | 'program') => string,
): EnvConfig | undefined {
  if (!isPettingZooId(config.id)) return undefined
  const [, file, factory = ''] = PYTHON_FILE.exec(config.id.slice(PREFIX.length)) ?? []
  const id = file === undefined ? config.id : `${PREFIX}${map(file, 'code')}${factory && `:${factory}`}`
  const { python } = config
  const isPath = typeof python === 'string' && /[\\/]/.test(python)
  return { ...config, id, ...(isPath && { python: map(python, 'program') }) }
}

function readTarget(id: string): Pick<PettingZooOptions, 'file' | 'module' | 'factory'> {
  const target = id.slice(PREFIX.length)
  const file = PYTHON_FILE.exec(target)
  if (file) return { file: absolute(file[1]), module: '', factory: file[2] ?? 'parallel_env' }
  const module = /^([A-Za-z_][\w.]*)(?::([A-Za-z_][\w.]*))?$/.exec(target)
  if (module) return { file: '', module: module[1], factory: module[2] ?? 'parallel_env' }
  throw usageError(
    `environment ${id}: it must be pettingzoo:MODULE:FACTORY, such as ` +
      'pettingzoo:pettingzoo.mpe.simple_spread_v3:parallel_env, or pettingzoo:FILE.py:FACTORY',
  )
}

function readKwargs(value: unknown): Record<string, unknown> {
  let kwargs: unknown
  try {
    kwargs = JSON.parse(String(value))
  } catch {
    kwargs = undefined
  }
  if (typeof kwargs !== 'object' || kwargs === null || Array.isArray(kwargs)) {
    throw usageError(
      `env.kwargs is ${JSON.stringify(value)}: it must be a JSON object of the factory's arguments, such as {"N": 3}`,
    )
  }
  return kwargs as Record<string, unknown>
}

function readPython(value: unknown): string {
  if (typeof value !== 'string' || value === '')
    throw usageError(`env.python is ${JSON.stringify(value)}: it must name a program, such as python3`)
  return /[\\/]/.test(value) ? absolute(value) : value
}

function readRewards(value: unknown): PettingZooOptions['rewards'] {
  const rewards = REWARDS.find((name) => name === value)
  if (rewards === undefined)
    throw usageError(`env.rewards is ${JSON.stringify(value)}: it must be one of ${REWARDS.join(', ')}`)
  return rewards
}

function readTimeLimit(value: unknown): number | 'auto' {
  if (value === 'auto') return value
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw usageError(
    `env.timeLimit is ${JSON.stringify(value)}: it must be a whole number of steps, 0 for none, or auto`,
  )
}

function readTimeout(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  throw usageError(`env.timeout is ${JSON.stringify(value)}: it must be a number of seconds above 0`)
}

/** Asked of the process and not imported: pages import this file too, and do not come here. */
function absolute(path: string): string {
  return process.getBuiltinModule('node:path').resolve(path)
}
