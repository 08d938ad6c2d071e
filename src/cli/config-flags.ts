import type { Command } from 'commander'
import { parseValue, presetNames, type ConfigSources, type PartialConfig } from '../config/index.js'
import { deviceChoices } from '../devices/open.js'
import { readConfigFile } from './config-file.js'

/** Flags that give values of a configuration. */
export interface ConfigFlags {
  env?: string
  algo?: string
  steps?: string
  seed?: string
  envs?: string
  device?: string
  initFrom?: string
  preset?: string
  config?: string
  set?: string[]
}

/** Adds the flags that name an environment and a method. */
export function withTaskFlags(command: Command): Command {
  return command
    .option(
      '--env <id|file|package>',
      'environment: built in (hatrpo list envs), or your own, such as ./my-env.ts',
    )
    .option('--algo <name>', 'algorithm (hatrpo list algorithms)')
    .option('--steps <n>', 'steps of all environments together')
    .option('--seed <n>', 'seed of all random numbers (default: 1)')
}

/** Adds the other flags that give values. */
export function withValueFlags(command: Command): Command {
  return command
    .option('--device <name>', `device that computes the networks: ${deviceChoices.join(', ')}`)
    .option('--init-from <run>', "start with another run's policies and critics (init.from)")
    .option('--preset <name>', `published settings: ${presetNames.join(', ')}`)
    .option('--config <file>', 'JSON with the keys of config.json; - reads standard input')
    .option(
      '--set <key=value...>',
      'any key of config.json, such as trustRegion.delta=0.005 or env.partition=graph',
    )
}

/** The sources of a configuration that flags name, values unchecked. @throws HatrpoError for a file that cannot be read */
export function configSources(flags: ConfigFlags): ConfigSources {
  const { preset, config, set } = flags
  const file = config === undefined ? undefined : readConfigFile(config)
  return { preset, file, fileName: config, flags: configFlags(flags), set }
}

/** Values of the flags that have a key in the configuration, unchecked. */
function configFlags({ env, algo, steps, seed, envs, device, initFrom }: ConfigFlags): PartialConfig {
  const given = {
    ...(env !== undefined && { env: { id: env } }),
    ...(algo !== undefined && { algo }),
    ...(steps !== undefined && { steps: parseValue(steps) }),
    ...(seed !== undefined && { seed: parseValue(seed) }),
    ...(envs !== undefined && { envs: parseValue(envs) }),
    ...(device !== undefined && { device }),
    ...(initFrom !== undefined && { init: { from: initFrom } }),
  }
  return given as PartialConfig
}
