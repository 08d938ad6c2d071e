import { usageError } from '../../errors.js'
import { didYouMean } from '../../text/nearest.js'
import type { TaskVersion } from './task.js'

/**
 * Assignment of actuators: `harl` in the order of the model, as in the code of the published results for every
 * partition; `graph` by joint, as listed by the original MaMuJoCo; `farama` as listed by Gymnasium-Robotics.
 */
export type PartitionOrder = 'harl' | 'graph' | 'farama'

/** Whether local observations repeat or correct the mistakes of Gymnasium-Robotics' joint graphs. */
export type Mapping = 'corrected' | 'farama'

/** The options of a MaMuJoCo environment, resolved; those that only concern local observations are left out with `obs=full`. */
export interface MamujocoOptions {
  readonly version: TaskVersion
  /** `full`, or the distance in the joint graph within which an agent sees. */
  readonly obs: 'full' | '0' | '1' | '2'
  readonly partition: PartitionOrder
  readonly mapping?: Mapping
  /** Observed categories of joints at distance 0, 1, ...: lists with commas, separated by slashes; the last one repeats. */
  readonly categories?: string
  /** Categories of the root that all agents observe: a list with commas, or `none`. */
  readonly globals?: string
  /** In place of the task's own. */
  readonly resetNoise?: number
  readonly timeLimit?: number
}

type Given = Readonly<Record<string, string | number | boolean>>

const DEPTHS = ['0', '1', '2']
export const CATEGORIES = [
  'qpos',
  'qvel',
  'cinert',
  'cvel',
  'qfrc_actuator',
  'cfrc_ext',
  'ten_J',
  'ten_length',
  'ten_velocity',
  'fingertip_dist',
]

/** Values of each option with a fixed choice, the default first. */
const CHOICES = {
  obs: ['full', ...DEPTHS],
  partition: ['harl', 'graph', 'farama'],
  mapping: ['corrected', 'farama'],
  protocol: ['harl', 'farama'],
} as const
const NAMES = ['version', ...Object.keys(CHOICES), 'categories', 'globals', 'resetNoise', 'timeLimit']

/** Named sets of options. `farama`: Gymnasium-Robotics' MaMuJoCo v1. */
const PROTOCOLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  harl: { version: 'v4', obs: 'full', partition: 'harl' },
  farama: { version: 'v5', obs: '1', partition: 'farama', mapping: 'farama' },
}

/**
 * Checks the options and fills in the defaults.
 * @param versions versions of the task
 * @param usual default version
 * @throws HatrpoError (exit code 2) naming the option, its value and the valid values
 */
export function resolveOptions(
  given: Given,
  versions: readonly TaskVersion[],
  usual: TaskVersion,
): MamujocoOptions {
  for (const [name, value] of Object.entries(given)) checkOption(name, value, versions)
  const asked = given['protocol'] === undefined ? {} : protocolOptions(given)
  const chosen = (name: string, fallback: string) => String(given[name] ?? asked[name] ?? fallback)
  const version = chosen('version', usual)
  const obs = chosen('obs', 'full')
  const local = obs !== 'full'
  if (!local) refuseLocalOptions(given)
  return {
    version: version as TaskVersion,
    obs: obs as MamujocoOptions['obs'],
    partition: chosen('partition', 'harl') as PartitionOrder,
    ...(local ? { mapping: chosen('mapping', 'corrected') as Mapping } : {}),
    ...textOption(given, 'categories'),
    ...textOption(given, 'globals'),
    ...numberOption(given, 'resetNoise'),
    ...numberOption(given, 'timeLimit'),
  }
}

function textOption(given: Given, name: string): Record<string, string> {
  return given[name] === undefined ? {} : { [name]: String(given[name]) }
}

function numberOption(given: Given, name: string): Record<string, number> {
  return given[name] === undefined ? {} : { [name]: Number(given[name]) }
}

function checkOption(name: string, value: string | number | boolean, versions: readonly TaskVersion[]): void {
  const refuse = (allowed: string): never => {
    throw usageError(`env.${name}=${String(value)}: must be ${allowed}`)
  }
  const text = String(value)
  if (name === 'version') {
    if (!(versions as readonly string[]).includes(text)) refuse(versions.join(' or '))
  } else if (Object.hasOwn(CHOICES, name)) {
    const choices: readonly string[] = CHOICES[name as keyof typeof CHOICES]
    if (!choices.includes(text)) refuse(choices.join(' or '))
  } else if (name === 'categories') {
    if (!text.split('/').every(isCategoryList)) {
      refuse(`lists of ${CATEGORIES.join(', ')}, separated by slashes, such as qpos,qvel/qpos`)
    }
  } else if (name === 'globals') {
    if (text !== 'none' && !isCategoryList(text)) refuse(`none or a list of ${CATEGORIES.join(', ')}`)
  } else if (name === 'resetNoise') {
    if (text === '' || !(Number(value) >= 0 && Number(value) < Infinity)) refuse('a number from 0')
  } else if (name === 'timeLimit') {
    if (!(Number.isSafeInteger(Number(value)) && Number(value) >= 1)) refuse('a whole number from 1')
  } else {
    throw usageError(
      `env.${name}=${text}: no such option; options are ${NAMES.join(', ')}${didYouMean(name, NAMES)}`,
    )
  }
}

function isCategoryList(text: string): boolean {
  const names = text.split(',')
  return names.every((name) => CATEGORIES.includes(name)) && new Set(names).size === names.length
}

/** Options of the requested protocol. @throws HatrpoError when another option contradicts it */
function protocolOptions(given: Given): Readonly<Record<string, string>> {
  const protocol = String(given['protocol'])
  const options = PROTOCOLS[protocol]
  for (const [name, value] of Object.entries(options)) {
    if (given[name] !== undefined && String(given[name]) !== value) {
      throw usageError(
        `env.${name}=${String(given[name])} contradicts env.protocol=${protocol}, which has ${name}=${value}: drop one`,
      )
    }
  }
  return options
}

function refuseLocalOptions(given: Given): void {
  for (const name of ['mapping', 'categories', 'globals']) {
    if (given[name] !== undefined) {
      throw usageError(
        `env.${name}=${String(given[name])}: concerns local observations only; must come with env.obs=0, 1 or 2`,
      )
    }
  }
}
