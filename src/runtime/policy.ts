import { PolicyError } from './error.js'
import { actionSize, choiceCount, parsePolicyInfo, SECTION, type PolicyInfo } from './info.js'
import { assertIntactBytes, assertIntactMemory, assertSealed } from './seal.js'

/** Exports of every policy module. A host needs no others. */
interface PolicyExports {
  readonly memory: WebAssembly.Memory
  /** Addresses in bytes: f32 [observation size], and f32 [action size], or i32 [action size] and f32 [choices]. */
  readonly observation: WebAssembly.Global
  readonly action: WebAssembly.Global
  /** u8 [choices], in policies with discrete actions. */
  readonly available?: WebAssembly.Global
  act(): number
  sample(): number
  reset(): void
  seed(low: number, high: number): void
}

const KINDS: Readonly<Record<Exclude<keyof PolicyExports, 'available'>, string>> = {
  memory: 'memory',
  observation: 'global',
  action: 'global',
  act: 'function',
  sample: 'function',
  reset: 'function',
  seed: 'function',
}

/** Source of a policy: a compiled module, the bytes of a module or a response whose body is the bytes. */
export type PolicySource = WebAssembly.Module | BufferSource | Response

/** Policy of one agent. */
export interface Policy {
  readonly info: PolicyInfo
  /**
   * Most likely action.
   * @param observation raw local observation of the environment; stored as f32
   * @param out f32 [action size] for the action; a new array by default
   * @param available [choices], 0 for unavailable choices of a discrete action; by default all are available
   * @returns `out`: the action in the agent's action space, not clipped; a choice is its index
   * @throws PolicyError for a wrong length, an element that is not finite as f32, or no available choice
   */
  act(observation: ArrayLike<number>, out?: Float32Array, available?: ArrayLike<number>): Float32Array
  /** Like `act`, but samples the action from the policy. The same seed gives the same actions on every host. */
  sample(observation: ArrayLike<number>, out?: Float32Array, available?: ArrayLike<number>): Float32Array
  /** Logits of the latest discrete action, [choices], including unavailable choices; empty for continuous actions. */
  readonly logits: Float32Array
  /**
   * Restarts the sequence of `sample`, which has 2^32 actions. The initial seed is 0.
   * @param seed integer from 0 to 2^64 - 1
   */
  seed(seed: number | bigint): void
  /** Starts an episode by clearing recurrent state. Optional for policies without recurrent state. */
  reset(): void
}

/**
 * Loads the policy of one agent.
 *
 * On hosts that forbid compiling from bytes (some edge workers), import the `.wasm` file statically and pass the
 * `WebAssembly.Module`.
 * @throws PolicyError when the source is not an exported policy, is damaged or cannot be compiled
 */
export async function loadPolicy(source: PolicySource | PromiseLike<PolicySource>): Promise<Policy> {
  const { module, sealed } = await compile(await source)
  const info = describe(module)
  if (info.checksums !== undefined) assertSealed(sealed)
  return bind(await WebAssembly.instantiate(module), module, info)
}

/** Synchronous `loadPolicy` for a compiled module. */
export function createPolicy(module: WebAssembly.Module): Policy {
  return bind(new WebAssembly.Instance(module), module, describe(module))
}

/** Compiles a module. @returns the module, and whether its bytes have a checksum; true for a compiled one */
async function compile(source: PolicySource): Promise<{ module: WebAssembly.Module; sealed: boolean }> {
  if (source instanceof WebAssembly.Module) return { module: source, sealed: true }
  const bytes = typeof Response === 'function' && source instanceof Response ? await body(source) : source
  const sealed = assertIntactBytes(bytes as BufferSource)
  try {
    return { module: await WebAssembly.compile(bytes as BufferSource), sealed }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const advice = 'where hosts forbid compiling, import the file statically and pass the WebAssembly.Module'
    throw new PolicyError(`the policy cannot be compiled (${reason}); ${advice}`, { cause })
  }
}

/** Body of a response of any content type. */
export async function body(response: Response): Promise<ArrayBuffer> {
  if (!response.ok) throw new PolicyError(`${response.url || 'the policy'}: HTTP status ${response.status}`)
  return response.arrayBuffer()
}

/** Checks that a module is an exported policy and reads its description. */
function describe(module: WebAssembly.Module): PolicyInfo {
  const [section] = WebAssembly.Module.customSections(module, SECTION)
  if (!section) throw new PolicyError(`the module has no section ${SECTION}: it is not an exported policy`)
  const info = parsePolicyInfo(new TextDecoder().decode(section))
  if (WebAssembly.Module.imports(module).length > 0) {
    throw new PolicyError('the module has imports: exported policies have none')
  }
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind as string]))
  for (const [name, kind] of Object.entries(KINDS)) {
    if (exported.get(name) !== kind) throw new PolicyError(`the module does not export the ${kind} ${name}`)
  }
  if (choiceCount(info.action) > 0 && exported.get('available') !== 'global')
    throw new PolicyError('the module does not export the global available')
  return info
}

/** Memory that a host and a module share, as views that stay valid: the memory cannot grow. */
interface Views {
  readonly observation: Float32Array
  readonly action: Float32Array | Int32Array
  readonly logits: Float32Array
  readonly mask: Uint8Array
}

function viewsOf({ memory, observation, action, available }: PolicyExports, info: PolicyInfo): Views {
  const view = <T>(what: string, size: number, make: (size: number) => T): T => {
    try {
      return make(size)
    } catch (cause) {
      throw new PolicyError(`the module's ${what} of size ${size} lies outside its memory`, { cause })
    }
  }
  const { buffer } = memory
  const address = (global: WebAssembly.Global | undefined) => (global?.value ?? 0) as number
  const f32 = (at: number) => (size: number) => new Float32Array(buffer, at, size)
  const [entries, choices] = [actionSize(info.action), choiceCount(info.action)]
  const start = address(action)
  const indices = (size: number) => new Int32Array(buffer, start, size)
  return {
    observation: view('observation', info.observation.size, f32(address(observation))),
    action: view<Float32Array | Int32Array>('action', entries, choices > 0 ? indices : f32(start)),
    logits: view('logits', choices, f32(choices > 0 ? start + 4 * entries : 0)),
    mask: view('mask', choices, (size) => new Uint8Array(buffer, address(available), size)),
  }
}

function bind(instance: WebAssembly.Instance, module: WebAssembly.Module, info: PolicyInfo): Policy {
  const exports = instance.exports as unknown as PolicyExports
  const summed = assertIntactMemory(module, exports.memory)
  if (info.checksums !== undefined) assertSealed(summed)
  const { observation: input, action, logits, mask } = viewsOf(exports, info)
  const { id } = info.agent

  const run = (
    decide: () => number,
    observation: ArrayLike<number>,
    out: Float32Array,
    available: ArrayLike<number> | undefined,
  ) => {
    if (observation.length !== input.length) {
      throw new PolicyError(
        `the observation has ${observation.length} entries: agent ${id} takes ${input.length}`,
      )
    }
    if (out.length !== action.length) {
      throw new PolicyError(`out has ${out.length} entries: the action has ${action.length}`)
    }
    if (available && available.length !== mask.length) {
      throw new PolicyError(
        `available has ${available.length} entries: agent ${id} has ${mask.length} choices`,
      )
    }
    input.set(observation)
    if (available) mask.set(available)
    else mask.fill(1)
    if (decide() !== 0) {
      const at = input.findIndex((value) => !Number.isFinite(value))
      if (at < 0 && logits.some(Number.isNaN))
        throw new PolicyError(`the policy of agent ${id} gives logits that are not finite`)
      if (at < 0) throw new PolicyError(`no action of agent ${id} is available: one must be`)
      throw new PolicyError(`observation[${at}] is ${observation[at]}: every entry must be finite as f32`)
    }
    out.set(action)
    return out
  }

  const fresh = () => new Float32Array(action.length)
  return {
    info,
    logits,
    act: (observation, out = fresh(), available) => run(exports.act, observation, out, available),
    sample: (observation, out = fresh(), available) => run(exports.sample, observation, out, available),
    seed: (seed) => exports.seed(...seedWords(seed)),
    reset: () => exports.reset(),
  }
}

/** Low and high 32-bit word of a seed. */
function seedWords(seed: number | bigint): [low: number, high: number] {
  const exact = typeof seed === 'bigint' || Number.isSafeInteger(seed) ? BigInt(seed) : -1n
  if (exact < 0n || exact >= 1n << 64n) {
    throw new PolicyError(`seed is ${seed}: it must be an integer from 0 to 2^64 - 1`)
  }
  return [Number(exact & 0xffffffffn), Number(exact >> 32n)]
}
