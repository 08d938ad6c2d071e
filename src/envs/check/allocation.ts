import type { Session } from 'node:inspector'
import { RUNNING, type MultiAgentEnv } from '../contract.js'
import { startEpisode } from './episodes.js'
import { calling, type Findings } from './finding.js'
import type { ActionSampler } from './sampler.js'

/** Steps during which every allocation is recorded. */
const RECORDED_STEPS = 256
/**
 * Allocations less frequent than one in this number of steps are not reported: the engine's own ones (feedback,
 * compiled code) are rare, and rare allocations of a step cost little.
 */
const STEPS_PER_ALLOCATION = 8
/**
 * Bytes of a floating-point number that the engine puts on the heap, to pass it between two functions that it did not
 * compile into one. No code can be written so that there are none, and nothing else is as small, so they do not count.
 */
const NUMBER_BYTES = 16
/** Repetitions of the steps before remaining allocations count, because slow tiers of the engine allocate more. */
const ATTEMPTS = 4
const WARM_UP_STEPS = 20_000
const WARM_UP_SECONDS = 1

/** A place that is not known better. */
const STEP = 'step'

/** Objects of one size that one function makes. */
interface Site {
  /** The function and its line. */
  readonly place: string
  readonly size: number
  count: number
  bytes: number
}

/** A function of V8's sampling heap profile, and the functions that it called. */
interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
    readonly columnNumber: number
  }
  readonly children: readonly ProfileNode[]
}

interface Profile {
  readonly head: ProfileNode
  readonly samples: readonly { readonly nodeId: number; readonly size: number }[]
}

/**
 * Whether `step` makes objects, from a record of every allocation on the heap.
 * @returns false where the engine has no such record
 */
export async function checkAllocation(
  env: MultiAgentEnv,
  seed: number,
  sampler: ActionSampler,
  findings: Findings,
): Promise<boolean> {
  const recorder = AllocationRecorder.open()
  if (recorder === undefined) return false
  try {
    const step = makeStepper(env)
    let cold: Site[] = []
    let sites: Site[] = []
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      sites = calling('step', () => {
        if (attempt > 0) warmUp(env, step, seed, sampler)
        return recordSteps(env, step, seed, sampler, recorder)
      })
      if (sites.length === 0) return true
      if (attempt === 0) cold = sites
    }
    const bytes = sites.reduce((sum, site) => sum + site.bytes, 0) / RECORDED_STEPS
    const count = sites.reduce((sum, site) => sum + site.count, 0) / RECORDED_STEPS
    const most = sites.reduce((a, b) => (b.bytes > a.bytes ? b : a))
    const how = `step allocates ${Math.ceil(bytes)} bytes in ${count.toFixed(1)} objects a step, most of it in ${placeOf(most, cold)}`
    const right = 'make arrays and objects once, in the constructor, and write into them'
    findings.add(
      'allocation',
      `${how}: ${right}; otherwise the garbage collector interrupts the rollout repeatedly`,
    )
    return true
  } finally {
    recorder.close()
  }
}

/**
 * Place of a site. The engine inlines small functions into `step`, and `step` into its caller. Before that, objects of
 * the same size had the place in the source.
 */
function placeOf({ place, size }: Site, cold: readonly Site[]): string {
  const same = cold.filter((site) => site.size === size && site.place !== STEP)
  return place !== STEP || same.length === 0
    ? place
    : same.reduce((a, b) => (b.count > a.count ? b : a)).place
}

/** Steps without a record, until the engine has compiled hot functions. */
function warmUp(env: MultiAgentEnv, step: Stepper, seed: number, sampler: ActionSampler): void {
  const begun = performance.now()
  startEpisode(env, seed, 0, sampler)
  for (let steps = 0; steps < WARM_UP_STEPS; steps++) {
    if (performance.now() - begun > WARM_UP_SECONDS * 1000) return
    sampler.fill(env)
    if (step() !== RUNNING) startEpisode(env, seed, 0, sampler)
  }
}

/** Steps of a few episodes, recorded without the reset and the drawing of actions. */
function recordSteps(
  env: MultiAgentEnv,
  step: Stepper,
  seed: number,
  sampler: ActionSampler,
  recorder: AllocationRecorder,
): Site[] {
  startEpisode(env, seed, 0, sampler)
  sampler.fill(env)
  recorder.start()
  let steps = 0
  while (steps < RECORDED_STEPS) {
    const end = step()
    steps++
    if (end !== RUNNING) startEpisode(env, seed, 0, sampler)
    sampler.fill(env)
  }
  const sites = recorder.stop(RECORDED_FUNCTION)
  return sites.filter(({ count }) => count >= RECORDED_STEPS / STEPS_PER_ALLOCATION)
}

/** Steps an environment. */
type Stepper = () => number

/**
 * Steps an environment in a function with a separate stack frame, under which allocations count: the builtin that calls
 * it is never inlined with it.
 */
function makeStepper(env: MultiAgentEnv): Stepper {
  let end: number = RUNNING
  function recordedStep(): string {
    end = env.step()
    return ''
  }
  return () => {
    'x'.replace('x', recordedStep)
    return end
  }
}

const RECORDED_FUNCTION = 'recordedStep'

/** Records allocations by V8's sampling heap profiler, every one of them a sample. */
class AllocationRecorder {
  readonly #session: Session

  /** Use `AllocationRecorder.open`. */
  constructor(session: Session) {
    this.#session = session
  }

  /** @returns undefined on an engine without such a profiler, or whose profiler does not see a known allocation */
  static open(): AllocationRecorder | undefined {
    try {
      // Asked of the process and not imported: a page has none, and its steps are then not recorded.
      const { Session: Inspector } = process.getBuiltinModule('node:inspector')
      const session = new Inspector()
      session.connect()
      const recorder = new AllocationRecorder(session)
      recorder.start()
      'x'.replace('x', allocateKnown)
      const seen = recorder.stop(allocateKnown.name).reduce((sum, { count }) => sum + count, 0)
      if (seen >= KNOWN_ALLOCATIONS) return recorder
      recorder.close()
    } catch {
      // No inspector here.
    }
    return undefined
  }

  start(): void {
    this.#post('HeapProfiler.startSampling', {
      samplingInterval: 1,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
  }

  /** @returns allocations under a function except boxed numbers, by size and allocating function */
  stop(functionName: string): Site[] {
    const { profile } = this.#post('HeapProfiler.stopSampling') as { profile: Profile }
    const places = placesUnder(functionName, profile.head)
    const sites = new Map<string, Site>()
    for (const { nodeId, size } of profile.samples) {
      const place = places.get(nodeId)
      if (place === undefined || size === NUMBER_BYTES) continue
      const key = `${place} ${size}`
      const site = sites.get(key) ?? { place, size, count: 0, bytes: 0 }
      site.count++
      site.bytes += size
      sites.set(key, site)
    }
    return [...sites.values()]
  }

  close(): void {
    this.#session.disconnect()
  }

  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown
    let failure: Error | null = null
    this.#session.post(method, parameters, (error, result) => {
      failure = error
      answer = result
    })
    if (failure !== null) throw failure as Error
    return answer
  }
}

/** Descriptions of the places of a profile's nodes below a function. */
function placesUnder(functionName: string, head: ProfileNode): Map<number, string> {
  const places = new Map<number, string>()
  const walk = (node: ProfileNode, place: string | undefined) => {
    const { functionName: name, url } = node.callFrame
    let here = place
    if (place === undefined && name === functionName) here = STEP
    // An allocation in a function of the engine counts as its caller's.
    else if (place !== undefined && url !== '') here = `${name || 'a function'} (${position(node.callFrame)})`
    if (here !== undefined) places.set(node.id, here)
    for (const child of node.children) walk(child, here)
  }
  walk(head, undefined)
  return places
}

/** File and line, of the source where the code was translated from one. */
function position({ url, lineNumber, columnNumber }: ProfileNode['callFrame']): string {
  const { basename } = process.getBuiltinModule('node:path')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  const entry = process
    .getBuiltinModule('node:module')
    .findSourceMap(path)
    ?.findEntry(lineNumber, columnNumber)
  return entry !== undefined && 'originalSource' in entry
    ? `${basename(entry.originalSource)}:${entry.originalLine + 1}`
    : `${basename(path)}:${lineNumber + 1}`
}

const KNOWN_ALLOCATIONS = 50
let known: unknown

function allocateKnown(): string {
  for (let i = 0; i < KNOWN_ALLOCATIONS; i++) known = [known, i].slice(1)
  return ''
}
