import { HatrpoError, usageError } from '../errors.js'
import type { EnvContext } from './context.js'
import type { MultiAgentEnv } from './contract.js'
import { defineEnv } from './define.js'
import type { EnvConfig, EnvFactory } from './factory.js'
import { parseMatrixGame } from './games/matrix-file.js'
import { defineMatrixGame } from './games/matrix.js'
import { withReplay } from './replayed.js'
import { findShapeProblems } from './shape.js'
import {
  combineDigests,
  defaultFunction,
  importSource,
  isFileId,
  packageId,
  type ImportedSource,
} from './source.js'
import { thrownLine } from '../text/thrown.js'

type Options = Readonly<Record<string, string | number | boolean>>

/** The default export of a module, or what does the same for a game's file: makes one environment from the options. */
type MakeEnv = (options: Options, context: EnvContext) => MultiAgentEnv | Promise<MultiAgentEnv>

/** Makes environments as a module does, not looked at yet. */
export interface EnvModule {
  /** Absolute path of the module's file. */
  readonly path: string
  /** SHA-256 of its code (see `ImportedSource`). */
  readonly sha256: string
  /** @throws HatrpoError in one line when the module throws */
  make(context: EnvContext): Promise<MultiAgentEnv>
}

/**
 * Imports an environment module or the file of a game.
 * @throws HatrpoError for a missing file, a module that cannot be imported or has no default export, or an invalid game
 */
export async function loadEnvModule({ id, ...options }: EnvConfig): Promise<EnvModule> {
  const source = await importSource(id)
  const { path, sha256 } = source
  const make = path.endsWith('.json')
    ? gameMaker(source)
    : (defaultFunction(source, 'environment', '(options) => environment') as MakeEnv)
  return {
    path,
    sha256,
    make: async (context) => {
      try {
        return await make(options, context)
      } catch (error) {
        if (error instanceof HatrpoError) throw error
        throw new HatrpoError(`environment ${path} cannot be made: ${firstLine(error)}`, { cause: error })
      }
    },
  }
}

/**
 * The factory of the environment that a module's default export makes. Imports the module, and makes one environment
 * to see that it is whole and what its spec is. Environments without `saveState` and `loadState` get them by replay.
 * @throws HatrpoError when the module is missing, cannot be imported, or does not make an environment
 */
export async function loadModuleFactory(config: EnvConfig, context: EnvContext): Promise<EnvFactory> {
  const { path, sha256, make } = await loadEnvModule(config)
  const env = await make(context)
  const [problem] = findShapeProblems(env)
  if (problem !== undefined) throw usageError(`environment ${path}: ${problem.message}`)
  const { spec, dataSha256 } = env
  try {
    env.dispose?.()
  } catch (error) {
    throw new HatrpoError(`environment ${path}: dispose() threw ${firstLine(error)}`, { cause: error })
  }
  return {
    config: { ...config, id: isFileId(config.id) ? path : packageId(config.id) },
    spec,
    sha256: combineDigests(sha256, dataSha256),
    create: async (context) => withReplay(await make(context)),
  }
}

/** Makes environments of a game in the format of docs/envs/games.md. */
function gameMaker({ path, module }: ImportedSource): MakeEnv {
  const name = path.replace(/^.*[\\/]/s, '').replace(/\.json$/, '')
  const game = parseMatrixGame(module['default'], path, name)
  return (options) => defineEnv(() => defineMatrixGame(game, options))()
}

function firstLine(error: unknown): string {
  return thrownLine(error)
}
