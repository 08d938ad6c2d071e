import { usageError } from '../../errors.js'
import type { PartitionOrder } from './partition.js'
import type { TaskVersion } from './tasks.js'

/** The options of a MaMuJoCo environment, resolved. */
export interface MamujocoOptions {
  readonly version: Extract<TaskVersion, 'v4'>
  readonly obs: 'full'
  readonly partition: PartitionOrder
}

/** What each option may be, its default first, and the values that the protocol knows but this version does not. */
const CHOICES: Readonly<Record<string, { values: readonly string[]; planned: readonly string[] }>> = {
  version: { values: ['v4'], planned: ['v2', 'v5'] },
  obs: { values: ['full'], planned: ['0', '1', '2'] },
  partition: { values: ['harl', 'graph'], planned: [] },
  protocol: { values: ['harl'], planned: ['farama', 'obsk'] },
}

/** Named sets of options. */
const PROTOCOLS: Readonly<Record<string, MamujocoOptions>> = {
  harl: { version: 'v4', obs: 'full', partition: 'harl' },
}

/**
 * Checks the options and fills in the defaults.
 * @throws HatrpoError (exit code 2) naming the option, its value and what it may be
 */
export function resolveOptions(given: Readonly<Record<string, string | number | boolean>>): MamujocoOptions {
  for (const [name, value] of Object.entries(given)) checkOption(name, String(value))
  const resolved: Record<string, string> = {}
  for (const [name, { values }] of Object.entries(CHOICES)) {
    if (name !== 'protocol') resolved[name] = String(given[name] ?? values[0])
  }
  if (given['protocol'] !== undefined) checkProtocol(String(given['protocol']), resolved)
  return resolved as unknown as MamujocoOptions
}

function checkOption(name: string, value: string): void {
  if (!Object.hasOwn(CHOICES, name)) {
    throw usageError(`env.${name}=${value}: no such option; options are ${Object.keys(CHOICES).join(', ')}`)
  }
  const { values, planned } = CHOICES[name]
  if (values.includes(value)) return
  const supported = `must be ${values.join(' or ')}`
  throw usageError(
    `env.${name}=${value}: ${planned.includes(value) ? `not supported yet; ${supported}` : supported}`,
  )
}

function checkProtocol(protocol: string, resolved: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(PROTOCOLS[protocol])) {
    if (resolved[name] !== value) {
      throw usageError(
        `env.${name}=${resolved[name]} contradicts env.protocol=${protocol}, which has ${name}=${value}: drop one`,
      )
    }
  }
}
