import { HatrpoError } from '../errors.js'
import { BUNDLE_FILE, type BundleAgent, type BundleInfo } from '../runtime/bundle.js'
import { BUNDLE_FORMAT, VERSION } from '../runtime/info.js'
import { describePolicy, policyModule, policyTemplates, type AgentPolicy } from './wasm.js'

/** An agent's policy without what all agents of a bundle share. */
export type BundlePolicy = Omit<AgentPolicy, 'provenance'>

/** Origin of the policies in bundle.json; each module carries it as its provenance. */
export type BundleOrigin = Omit<BundleInfo, 'format' | 'version' | 'agents'>

/** A file of a bundle, in memory. */
export interface BundleContent {
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * The files of a bundle: one module per agent, bundle.json last. Works in a page as well (where SHA-256 asks for a
 * secure context). The same policies and origin give the same bytes.
 * @param policies in agent order
 * @throws HatrpoError for policies out of order, or that `policyModule` refuses
 */
export async function bundleFiles(
  policies: readonly BundlePolicy[],
  origin: BundleOrigin,
): Promise<BundleContent[]> {
  const templates = await policyTemplates()
  const files: BundleContent[] = []
  const agents: BundleAgent[] = []
  for (const [i, policy] of policies.entries()) {
    const { agent } = policy
    if (agent.index !== i)
      throw new HatrpoError(`agent ${agent.id} has index ${agent.index}: it must be ${i}`)
    const provenance = { ...origin }
    const bytes = policyModule({ ...policy, provenance }, templates)
    const name = `agent_${i}.wasm`
    const { observation, action } = describePolicy({ ...policy, provenance })
    files.push({ name, bytes })
    agents.push({
      index: i,
      id: agent.id,
      ...(agent.controls && { controls: agent.controls }),
      file: name,
      bytes: bytes.length,
      sha256: await sha256(bytes),
      observation,
      action,
    })
  }
  const info: BundleInfo = { format: BUNDLE_FORMAT, version: VERSION, ...origin, agents }
  const text = `${JSON.stringify(info, null, 2)}\n`
  return [...files, { name: BUNDLE_FILE, bytes: new TextEncoder().encode(text) }]
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
