import type { ActionSpace } from '../envs/contract.js'
import { actionSize as spaceSize, maskSize } from '../envs/shape.js'
import { HatrpoError } from '../errors.js'
import { readAssembly } from '../kernels/index.js'
import type { PolicySpec, PolicyTemplate } from '../learner/heads/head.js'
import { exportedHead } from '../learner/heads/table.js'
import { parameterLayout } from '../nn/layout.js'
import {
  POLICY_FORMAT,
  SECTION,
  VERSION,
  type Json,
  type PolicyAgent,
  type StoredAction,
  type StoredPolicyInfo,
} from '../runtime/info.js'
import { seal, SEAL } from '../runtime/seal.js'
import {
  customSection,
  DATA,
  dataSection,
  EXPORT,
  exportedGlobals,
  GLOBAL,
  MEMORY,
  memorySection,
  CUSTOM,
  readSections,
  withGlobals,
  writeSections,
  type Section,
} from './binary.js'
import { PAGE_BYTES, policyMemory, type PolicyMemory } from './memory.js'

/** Trained policy of one agent. */
export interface AgentPolicy {
  readonly agent: PolicyAgent
  readonly spec: PolicySpec
  /** f32 [parameterLayout(spec).size] */
  readonly parameters: Float32Array
  /** The agent's action space. */
  readonly action: ActionSpace
  /** Origin of the policy. */
  readonly provenance: { readonly [key: string]: Json }
}

/** Compiled templates of assembly/, ready for `policyModule`. */
export type PolicyTemplates = Readonly<Record<PolicyTemplate, Uint8Array>>

export async function policyTemplates(): Promise<PolicyTemplates> {
  const names: PolicyTemplate[] = ['policy', 'policy-bounded', 'policy-choice']
  const templates = await Promise.all(names.map(async (name) => [name, await readAssembly(name)] as const))
  return Object.fromEntries(templates) as PolicyTemplates
}

/**
 * A WebAssembly module without imports that computes a policy: the template with the network's sizes and weights as
 * data, the memory's size, two addresses, a description and checksums. Nothing is compiled; it works in a page as well.
 * The same policy gives the same bytes.
 * @param templates from `policyTemplates`
 * @throws HatrpoError for parameters that do not fit the network or are not finite
 */
export function policyModule(policy: AgentPolicy, templates: PolicyTemplates): Uint8Array<ArrayBuffer> {
  validate(policy)
  const template = templates[exportedHead(policy.spec.head).template]
  const memory = policyMemory(policy.spec, policy.parameters, policy.agent.index)
  const sections = readSections(template).filter(({ id }) => id !== CUSTOM)
  const { observation, action, available } = memory
  const mask = available === null ? {} : { available }
  const addresses = globalsAt(sections, { observation, action, ...mask })
  const spliced = sections.map((section) => {
    if (section.id === MEMORY) return memorySection(memory.pages)
    return section.id === GLOBAL ? withGlobals(section, addresses) : section
  })
  const info = new TextEncoder().encode(JSON.stringify(describePolicy(policy)))
  const module = writeSections([...spliced, dataSection(memory.segments), customSection(SECTION, info)])
  return seal(module, initialBytes(memory))
}

/** Content of the memory of a new instance. */
function initialBytes({ pages, segments }: PolicyMemory): Uint8Array {
  const bytes = new Uint8Array(pages * PAGE_BYTES)
  for (const segment of segments) bytes.set(segment.bytes, segment.at)
  return bytes
}

/** Positions of exported globals and the values they are to have. */
function globalsAt(
  sections: readonly Section[],
  values: Readonly<Record<string, number>>,
): Map<number, number> {
  const exported = sections.find(({ id }) => id === EXPORT)
  const known = exported ? exportedGlobals(exported) : new Map<string, number>()
  if (sections.some(({ id }) => id === DATA)) throw new HatrpoError('the policy template has data of its own')
  return new Map(
    Object.entries(values).map(([name, value]) => {
      const index = known.get(name)
      if (index === undefined) throw new HatrpoError(`the policy template does not export the global ${name}`)
      return [index, value]
    }),
  )
}

function validate({ agent, spec, parameters, action }: AgentPolicy): void {
  const { size } = parameterLayout(spec)
  if (parameters.length !== size) {
    throw new HatrpoError(`agent ${agent.id} has ${parameters.length} parameters: its network takes ${size}`)
  }
  const at = parameters.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new HatrpoError(`parameter ${at} of agent ${agent.id} is ${parameters[at]}: not finite`)
  const { actionSize } = exportedHead(spec.head)
  const given = spaceSize(action)
  if (given !== actionSize) {
    throw new HatrpoError(
      `agent ${agent.id} has an action of ${given} numbers: its network gives ${actionSize}`,
    )
  }
  const { choices } = spec.head
  if (maskSize(action) !== choices) {
    throw new HatrpoError(`agent ${agent.id} has ${maskSize(action)} choices: its network gives ${choices}`)
  }
}

/** The JSON of the custom section: null is an infinite bound. */
export function describePolicy({ agent, spec, action, provenance }: AgentPolicy): StoredPolicyInfo {
  const { size, standardise, layerNorm } = spec.input
  const agentId = ownId(spec)
  return {
    format: POLICY_FORMAT,
    version: VERSION,
    agent,
    observation: { size, input: { agentId, standardise, layerNorm } },
    action: storedAction(action),
    network: {
      hidden: spec.hidden,
      activation: spec.activation,
      ...(spec.recurrent && { recurrent: spec.recurrent }),
    },
    provenance,
    checksums: SEAL,
  }
}

/** The agent's id in its network's input. @throws Error for a network that several agents share */
function ownId({ input }: PolicySpec): { index: number; count: number } | null {
  if (input.agentId === null) return null
  const { index, count } = input.agentId
  if (index === null) throw new Error('an exported policy belongs to one agent')
  return { index, count }
}

function storedAction(action: ActionSpace): StoredAction {
  if (action.kind === 'discrete') return { kind: 'discrete', n: action.n }
  if (action.kind === 'multiDiscrete') return { kind: 'multiDiscrete', sizes: action.sizes }
  return { kind: 'box', size: action.size, low: bounds(action.low), high: bounds(action.high) }
}

/** Bounds in JSON: null for an infinite bound. */
function bounds(values: Float64Array): (number | null)[] {
  return Array.from(values, (value) => (Number.isFinite(value) ? value : null))
}
