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
import { locate, read } from './location.js'
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
  /** Ids of the trained agents; the others are their latest opponents. Absent if all agents were trained. */
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
export type BundleFile = PolicySource | Blob | BundleInfo

/**
 * Loads a bundle and checks that its files match bundle.json.
 * @param source location of the bundle's folder or of its bundle.json: a URL, also a file: URL; a URL relative to the
 *   page or, without a page, a path on the disk; or a function that returns the bundle's files
 * @throws PolicyError when a file is missing, damaged or does not match bundle.json
 */
export async function loadBundle(source: string | URL | BundleFetcher): Promise<Bundle> {
  const fetcher = typeof source === 'function' ? source : fetcherOf(source)
  const info = readInfo(await obtain(fetcher, BUNDLE_FILE))
  const agents = info.agents.map(async (agent) => load(agent, await obtain(fetcher, agent.file)))
  return { info, agents: await Promise.all(agents) }
}

/** Reads the files of a bundle from the folder of its bundle.json. */
function fetcherOf(source: string | URL): BundleFetcher {
  const folder = locateBundle(source)
  const isFolder = !folder.pathname.endsWith('.json') && !folder.pathname.endsWith('/')
  if (isFolder) folder.pathname += '/'
  return async (name) => {
    const url = new URL(name, folder)
    try {
      return await read(url)
    } catch (cause) {
      throw unreadable(url.href, cause)
    }
  }
}

function locateBundle(source: string | URL): URL {
  try {
    return locate(source)
  } catch (cause) {
    throw new PolicyError(`${String(source)} is not a URL: it must be that of the folder of ${BUNDLE_FILE}`, {
      cause,
    })
  }
}

function unreadable(what: string, cause: unknown): PolicyError {
  const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]
  return new PolicyError(`${what} cannot be read (${reason}): it must be a file of a bundle`, { cause })
}

/** A file of the bundle: a module, bytes, or what bundle.json holds. */
async function obtain(
  fetcher: BundleFetcher,
  name: string,
): Promise<WebAssembly.Module | BufferSource | BundleInfo> {
  try {
    const file = await fetcher(name)
    if (typeof Response === 'function' && file instanceof Response) return await body(file)
    if (typeof Blob === 'function' && file instanceof Blob) return await file.arrayBuffer()
    return file
  } catch (cause) {
    throw cause instanceof PolicyError ? cause : unreadable(name, cause)
  }
}

function isBytes(file: unknown): file is BufferSource {
  return file instanceof ArrayBuffer || ArrayBuffer.isView(file)
}

function readInfo(file: unknown): BundleInfo {
  if (file instanceof WebAssembly.Module) throw new PolicyError(`${BUNDLE_FILE} cannot be a module`)
  if (isBytes(file)) return parseBundleInfo(new TextDecoder().decode(file))
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
      typeof agent.sha256 === 'string' &&
      /^[0-9a-f]{64}$/.test(agent.sha256) &&
      parseAction(agent.action) !== undefined
    if (!plain || !complete) throw new PolicyError(`${BUNDLE_FILE} is damaged: agents[${i}] is malformed`)
  })
  return value as unknown as BundleInfo
}

/** Loads the file of one agent and compares it with its entry in bundle.json. */
async function load(agent: BundleAgent, file: unknown): Promise<Policy> {
  if (!(file instanceof WebAssembly.Module)) {
    if (!isBytes(file))
      throw new PolicyError(
        `${agent.file} is of type ${typeof file}: it must be bytes, a module or a Response`,
      )
    await verify(agent, file)
  }
  const policy = await loadPolicy(file)
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
