import { loadEnvFactory, type EnvConfig, type EnvFactory } from '../envs/index.js'
import { placedEnv } from '../envs/portable.js'
import { usageError } from '../errors.js'

/** Environment that policies were trained in. */
export interface TrainedEnv {
  /** Environment of the training with absolute paths, unless another location is given. */
  readonly config: EnvConfig
  /** SHA-256 of its code; undefined for built-in environments. */
  readonly sha256: string | undefined
}

/**
 * The environment of some policies, found at another place than the one they name.
 * @param id of the environment, or the path of a file of it that was moved (see `placedEnv`)
 * @throws HatrpoError (exit code 2) for an environment that is not the one that the policies were trained in
 */
export async function loadNamedEnv(id: string, { config, sha256 }: TrainedEnv): Promise<EnvFactory> {
  if (sha256 === undefined && id !== config.id)
    throw usageError(`env is ${id}: the policies were trained in ${config.id}, and act in no other`)
  const factory = await loadEnvFactory(placedEnv(config, id))
  if (factory.sha256 !== sha256)
    throw usageError(
      `env is ${id}: its code is not that of ${config.id}, the environment of the training ` +
        `(sha256 ${factory.sha256?.slice(0, 8) ?? 'none'}, it must be ${sha256!.slice(0, 8)})`,
    )
  return factory
}

/**
 * The environment of some policies, at the place that they name unless another one is given.
 * @throws HatrpoError (exit code 2) as `loadNamedEnv`
 */
export function loadTrainedEnv(trained: TrainedEnv, named?: string): Promise<EnvFactory> {
  return named === undefined ? loadEnvFactory(trained.config) : loadNamedEnv(named, trained)
}
