import { PolicyError } from './error.js'

/** Name of the custom section that describes a policy module. */
export const SECTION = 'hatrpo'
export const POLICY_FORMAT = 'hatrpo-policy'
export const BUNDLE_FORMAT = 'hatrpo-bundle'
/** Of both formats; higher versions are refused. */
export const VERSION = 1

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Steps by which the module prepares a raw observation for its first layer. The caller does none of them. */
export interface ObservationInput {
  /** One-hot id appended to the observation, or null. */
  readonly agentId: { readonly index: number; readonly count: number } | null
  /** Less its own mean, over the standard deviation of its own entries. */
  readonly standardise: boolean
  /** Then LayerNorm with learned gain and bias. */
  readonly layerNorm: boolean
}

export interface ObservationInfo {
  /** Length of the raw local observation, f32. */
  readonly size: number
  readonly input: ObservationInput
}

/** A continuous action. JSON has no infinities: null in `low` is -Infinity, null in `high` is Infinity. */
export interface StoredAction {
  readonly kind: 'box'
  readonly size: number
  readonly low: readonly (number | null)[]
  readonly high: readonly (number | null)[]
}

/** A continuous action, with the bounds of the agent's action space. Actions are not clipped to them. */
export interface ActionInfo {
  readonly kind: 'box'
  readonly size: number
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** The JSON of a policy module's custom section `hatrpo`. */
export interface StoredPolicyInfo {
  readonly format: typeof POLICY_FORMAT
  readonly version: typeof VERSION
  readonly agent: { readonly index: number; readonly id: string }
  readonly observation: ObservationInfo
  readonly action: StoredAction
  readonly network: { readonly hidden: readonly number[]; readonly activation: string }
  /** Origin: environment, algorithm, seed, steps, package version. */
  readonly provenance: { readonly [key: string]: Json }
}

/** Description of a policy. */
export interface PolicyInfo extends Omit<StoredPolicyInfo, 'action'> {
  readonly action: ActionInfo
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Parses JSON and checks what it says it is. @param name how an error calls it */
export function parseFormat(text: string, format: string, name: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new PolicyError(`${name} is damaged: it is not JSON`)
  }
  return checkFormat(value, format, name)
}

/** Checks `format` and `version` of a parsed description. */
export function checkFormat(value: unknown, format: string, name: string): Record<string, unknown> {
  if (!isObject(value) || value['format'] !== format) {
    throw new PolicyError(`${name} is not of format ${format}`)
  }
  if (value['version'] !== VERSION) {
    throw new PolicyError(
      `${name} is of version ${String(value['version'])}: this package reads version ${VERSION}`,
    )
  }
  return value
}

/** The bounds of an action space, with infinities for nulls. */
function parseBounds(value: unknown, size: number, unbounded: number): number[] | undefined {
  if (!Array.isArray(value) || value.length !== size) return undefined
  if (!value.every((bound) => bound === null || typeof bound === 'number')) return undefined
  return value.map((bound: number | null) => bound ?? unbounded)
}

/** Checks an action description. @returns undefined when it is malformed */
export function parseAction(value: unknown): ActionInfo | undefined {
  if (!isObject(value) || value['kind'] !== 'box' || !isCount(value['size'])) return undefined
  const size = value['size']
  const low = parseBounds(value['low'], size, -Infinity)
  const high = parseBounds(value['high'], size, Infinity)
  return low && high && { kind: 'box', size, low, high }
}

function isObservation(value: unknown): value is ObservationInfo {
  return isObject(value) && isCount(value['size']) && isObject(value['input'])
}

function isAgent(value: unknown): value is PolicyInfo['agent'] {
  return isObject(value) && isCount(value['index']) && typeof value['id'] === 'string'
}

function isNetwork(value: unknown): value is PolicyInfo['network'] {
  return isObject(value) && Array.isArray(value['hidden']) && typeof value['activation'] === 'string'
}

/**
 * Reads a custom section.
 * @param text its JSON
 * @throws PolicyError when it is not one, is damaged, or is of a later version
 */
export function parsePolicyInfo(text: string): PolicyInfo {
  const name = `the module's section ${SECTION}`
  const value = parseFormat(text, POLICY_FORMAT, name)
  const { agent, observation, network, provenance } = value
  const action = parseAction(value['action'])
  if (!isAgent(agent)) throw new PolicyError(`${name} is damaged: agent must hold an index and an id`)
  if (!isObservation(observation)) {
    throw new PolicyError(`${name} is damaged: observation must hold a size and an input`)
  }
  if (!action) throw new PolicyError(`${name} is damaged: action must be a box of size, low and high`)
  if (!isNetwork(network) || !isObject(provenance)) {
    throw new PolicyError(`${name} is damaged: network and provenance must be objects`)
  }
  return {
    format: POLICY_FORMAT,
    version: VERSION,
    agent,
    observation,
    action,
    network,
    provenance: provenance as PolicyInfo['provenance'],
  }
}
