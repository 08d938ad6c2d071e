import { PolicyError } from './error.js'

/** Name of the custom section that describes a policy module. */
export const SECTION = 'hatrpo'
export const POLICY_FORMAT = 'hatrpo-policy'
export const BUNDLE_FORMAT = 'hatrpo-bundle'
/** Version of both formats. Higher versions are refused. */
export const VERSION = 1

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Steps by which the module prepares a raw observation for its first layer. Callers perform none of them. */
export interface ObservationInput {
  /** One-hot id appended to the observation, or null. */
  readonly agentId: { readonly index: number; readonly count: number } | null
  /** Whether the mean of the entries is subtracted and the result divided by their standard deviation. */
  readonly standardise: boolean
  /** Whether LayerNorm with learned gain and bias follows. */
  readonly layerNorm: boolean
}

export interface ObservationInfo {
  /** Length of the raw local f32 observation. */
  readonly size: number
  readonly input: ObservationInput
}

/** One choice out of `n`, numbered from 0. */
export interface DiscreteAction {
  readonly kind: 'discrete'
  readonly n: number
}

/** Several choices made at once, the i-th out of `sizes[i]`. */
export interface MultiDiscreteAction {
  readonly kind: 'multiDiscrete'
  readonly sizes: readonly number[]
}

/** Action in JSON. */
export type StoredAction = StoredBox | DiscreteAction | MultiDiscreteAction

/** Continuous action in JSON, which has no infinities: null in `low` is -Infinity, null in `high` is Infinity. */
export interface StoredBox {
  readonly kind: 'box'
  readonly size: number
  readonly low: readonly (number | null)[]
  readonly high: readonly (number | null)[]
}

/** The agent's action space. */
export type ActionInfo = BoxAction | DiscreteAction | MultiDiscreteAction

/** Continuous action with the bounds of the agent's action space. Actions are not clipped to the bounds. */
export interface BoxAction {
  readonly kind: 'box'
  readonly size: number
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** One of the agents that a policy of a whole team acts for. */
export interface ControlledAgent {
  readonly id: string
  /** Index of its first number in the policy's action, and how many it has. */
  readonly at: number
  readonly size: number
}

/** Agent that a policy acts for. */
export interface PolicyAgent {
  readonly index: number
  readonly id: string
  /** Agents of a policy for a whole team, whose observation is the environment's state. */
  readonly controls?: readonly ControlledAgent[]
}

/** JSON of the custom section `hatrpo` of a policy module. */
export interface StoredPolicyInfo {
  readonly format: typeof POLICY_FORMAT
  readonly version: typeof VERSION
  readonly agent: PolicyAgent
  readonly observation: ObservationInfo
  readonly action: StoredAction
  readonly network: {
    readonly hidden: readonly number[]
    readonly activation: string
    /** Recurrent layers after the hidden ones, whose state `reset` clears; absent in a feed-forward policy. */
    readonly recurrent?: { readonly size: number; readonly layers: number }
  }
  /** Origin: environment, algorithm, seed, steps, package version. */
  readonly provenance: { readonly [key: string]: Json }
  /** Name of the section with the module's checksums; absent in modules of earlier versions, which have none. */
  readonly checksums?: string
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

function isPositive(value: unknown): value is number {
  return isCount(value) && value > 0
}

/** Parses a JSON description and checks its format. @param name name in error messages */
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
      `${name} is of version ${JSON.stringify(value['version'])}: this package reads version ${VERSION}`,
    )
  }
  return value
}

/** Bounds of an action space, with infinities for nulls. */
function parseBounds(value: unknown, size: number, unbounded: number): number[] | undefined {
  if (!Array.isArray(value) || value.length !== size) return undefined
  if (!value.every((bound) => bound === null || typeof bound === 'number')) return undefined
  return value.map((bound: number | null) => bound ?? unbounded)
}

/** Entries of an action. */
export function actionSize(action: ActionInfo): number {
  if (action.kind === 'box') return action.size
  return action.kind === 'discrete' ? 1 : action.sizes.length
}

/** Entries of a mask of available actions, and logits behind an action; 0 for a continuous one. */
export function choiceCount(action: ActionInfo): number {
  if (action.kind === 'box') return 0
  return action.kind === 'discrete' ? action.n : action.sizes.reduce((sum, n) => sum + n, 0)
}

/** Checks an action description. @returns undefined when it is malformed */
export function parseAction(value: unknown): ActionInfo | undefined {
  if (!isObject(value)) return undefined
  const { kind, n, sizes } = value
  if (kind === 'discrete') return isPositive(n) ? { kind, n } : undefined
  if (kind === 'multiDiscrete') {
    return Array.isArray(sizes) && sizes.length > 0 && sizes.every(isPositive) ? { kind, sizes } : undefined
  }
  if (kind !== 'box' || !isCount(value['size'])) return undefined
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
 * Reads the custom section of a policy module.
 * @param text JSON of the section
 * @throws PolicyError when the section is of another format, damaged or of a later version
 */
export function parsePolicyInfo(text: string): PolicyInfo {
  const name = `the module's section ${SECTION}`
  const value = parseFormat(text, POLICY_FORMAT, name)
  const { agent, observation, network, provenance, checksums } = value
  const action = parseAction(value['action'])
  if (!isAgent(agent)) throw new PolicyError(`${name} is damaged: agent must hold an index and an id`)
  if (!isObservation(observation)) {
    throw new PolicyError(`${name} is damaged: observation must hold a size and an input`)
  }
  if (!action)
    throw new PolicyError(
      `${name} is damaged: action must be a box of size, low and high, discrete of n or multiDiscrete of sizes`,
    )
  if (!isNetwork(network) || !isObject(provenance)) {
    throw new PolicyError(`${name} is damaged: network and provenance must be objects`)
  }
  if (checksums !== undefined && typeof checksums !== 'string')
    throw new PolicyError(`${name} is damaged: checksums must be the name of a section`)
  return {
    format: POLICY_FORMAT,
    version: VERSION,
    agent,
    observation,
    action,
    network,
    provenance: provenance as PolicyInfo['provenance'],
    ...(checksums !== undefined && { checksums }),
  }
}
