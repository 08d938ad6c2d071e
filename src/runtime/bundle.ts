import { PolicyError } from './error.js'
import {
  actionSize,
  BUNDLE_FORMAT,
  checkFormat,
  choiceCount,
  parseAction,
  parseFormat,
  type ActionInfo,
  type ObservationInfo,
  type PolicyAgent,
  type StoredAction,
  type VERSION,
} from './info.js'
import { body, loadPolicy, type Policy, type PolicySource } from './policy.js'

export const BUNDLE_FILE = 'bundle.json'

/** Entry of an agent in bundle.json. */
export interface BundleAgent {
  readonly index: number
  readonly id: string
  /** Agents of a policy that acts for a whole team, as in the module. */
  readonly controls?: PolicyAgent['controls']
  /** File name of the module, in the folder of bundle.json. */
  readonly file: string
  readonly bytes: number
  /** SHA-256 of the file, 64 hexadecimal digits. */
  readonly sha256: string
  readonly observation: ObservationInfo
  /** Action as in the module: null for an infinite bound. */
  readonly action: StoredAction
}

/** Content of bundle.json: the agents and their origin. */
export interface BundleInfo {
  readonly format: typeof BUNDLE_FORMAT
  readonly version: typeof VERSION
  /** Version of the package that exported the bundle. */
  readonly packageVersion: string
  /** Id and options of the environment whose raw local observations the policies take. */
  readonly environment: { readonly id: string; readonly [option: string]: string | number | boolean }
  /** SHA-256 of the environment's code when the policies were trained; absent for a built-in environment. */
  readonly environmentSha256?: string
  readonly algorithm: string
  /** Ids of the agents that were trained; the others are the last opponents that they met. Absent where all were. */
  readonly learners?: readonly string[]
  readonly seed: number
  /** Number of steps of all environments up to the exported checkpoint, and the iteration of that checkpoint. */
  readonly steps: number
  readonly iteration: number
  /** Mean return of the evaluation at that checkpoint, or null without an evaluation. */
  readonly evaluation: number | null
  readonly agents: readonly BundleAgent[]
}

/** All policies of a bundle. */
export interface Bundle {
  readonly info: BundleInfo
  /** Policies in the order of the agents' indices. */
  readonly agents: readonly Policy[]
}

/** Function that returns a file of a bundle by name. It may return `bundle.json` as the parsed object. */
export type BundleFetcher = (name: string) => BundleFile | PromiseLike<BundleFile>
export type BundleFile = PolicySource | BundleInfo

/**
 * Loads a bundle and checks that its files match bundle.json.
 * @param source location of bundle.json, as the URL of its folder or of the file itself, or a function that gives
 *   the bundle's files
 * @throws PolicyError when a file is missing, damaged or not the one that bundle.json describes
 */
export async function loadBundle(source: string | URL | BundleFetcher): Promise<Bundle> {
  const fetcher = typeof source === 'function' ? source : fetcherOf(source)
  const info = await readInfo(await fetcher(BUNDLE_FILE))
  const agents = await Promise.all(info.agents.map(async (agent) => load(agent, await fetcher(agent.file))))
  return { info, agents }
}

/** Fetches the files of a bundle from the folder of its bundle.json. */
function fetcherOf(source: string | URL): BundleFetcher {
  const given = new URL(source, typeof location === 'object' ? location.href : undefined)
  const isFolder = !given.pathname.endsWith('.json') && !given.pathname.endsWith('/')
  if (isFolder) given.pathname += '/'
  return (name) => fetch(new URL(name, given))
}

async function readInfo(file: BundleFile): Promise<BundleInfo> {
  if (file instanceof WebAssembly.Module) throw new PolicyError(`${BUNDLE_FILE} cannot be a module`)
  if (typeof Response === 'function' && file instanceof Response) {
    return parseBundleInfo(new TextDecoder().decode(await body(file)))
  }
  if (file instanceof ArrayBuffer || ArrayBuffer.isView(file)) {
    return parseBundleInfo(new TextDecoder().decode(file))
  }
  return checkBundle(checkFormat(file, BUNDLE_FORMAT, BUNDLE_FILE))
}

/** Reads bundle.json. @throws PolicyError when it is damaged or of a later version */
export function parseBundleInfo(text: string): BundleInfo {
  return checkBundle(parseFormat(text, BUNDLE_FORMAT, BUNDLE_FILE))
}

function checkBundle(value: Record<string, unknown>): BundleInfo {
  const { agents, environment } = value as Partial<BundleInfo>
  if (!Array.isArray(agents) || agents.length === 0) {
    throw new PolicyError(`${BUNDLE_FILE} is damaged: agents must be a list`)
  }
  if (typeof environment?.id !== 'string') {
    throw new PolicyError(`${BUNDLE_FILE} is damaged: environment must have an id`)
  }
  agents.forEach((agent: Partial<BundleAgent> | null, i) => {
    // A file name must not refer to a file outside the bundle.
    const plain = typeof agent?.file === 'string' && /^[\w-][\w.-]*$/.test(agent.file)
    const complete =
      agent?.index === i &&
      typeof agent.id === 'string' &&
      typeof agent.observation?.size === 'number' &&
      /^[0-9a-f]{64}$/.test(String(agent.sha256)) &&
      parseAction(agent.action) !== undefined
    if (!plain || !complete) throw new PolicyError(`${BUNDLE_FILE} is damaged: agents[${i}] is malformed`)
  })
  return value as unknown as BundleInfo
}

/** Loads the file of one agent and compares it with its entry in bundle.json. */
async function load(agent: BundleAgent, file: BundleFile): Promise<Policy> {
  let source = file
  if (!(source instanceof WebAssembly.Module)) {
    if (typeof Response === 'function' && source instanceof Response) source = await body(source)
    await verify(agent, source as BufferSource)
  }
  const policy = await loadPolicy(source)
  assertSameAgent(agent, policy)
  return policy
}

/** Compares the size and checksum of a file. Pages without a secure context have no SHA-256, so only sizes are compared. */
async function verify({ file, bytes, sha256 }: BundleAgent, content: BufferSource): Promise<void> {
  if (content.byteLength !== bytes) {
    throw new PolicyError(`${file} has ${content.byteLength} bytes: ${BUNDLE_FILE} describes one of ${bytes}`)
  }
  const subtle = (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto?.subtle
  if (!subtle) return
  const digest = new Uint8Array(await subtle.digest('SHA-256', content))
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (hex !== sha256)
    throw new PolicyError(`${file} is not the file that ${BUNDLE_FILE} describes: sha256 differs`)
}

function assertSameAgent(agent: BundleAgent, { info }: Policy): void {
  const same =
    info.agent.id === agent.id &&
    info.agent.index === agent.index &&
    info.observation.size === agent.observation.size &&
    info.action.kind === agent.action.kind &&
    actionSize(info.action) === actionSize(agent.action as ActionInfo) &&
    choiceCount(info.action) === choiceCount(agent.action as ActionInfo)
  if (!same) throw new PolicyError(`${agent.file} is not the policy of agent ${agent.id}`)
}
