import type { MultiAgentEnv } from '../contract.js'
import type { Findings } from './finding.js'
import { seenViews } from './views.js'

/** Runs of entries that a note names before it counts the rest. */
const NAMED_RUNS = 4

/** Steps from which on missing rewards count: games of one step may pay nothing in the first few. */
const REWARDED_STEPS = 20

/** Numbers of a view that have been the same so far. */
interface Watched {
  readonly name: string
  readonly first: Float32Array
  readonly constant: Uint8Array
}

/** Finds entries of observations and of the state that no step of any episode changes, and rewards that are always 0. */
export class Constants {
  readonly #env: MultiAgentEnv
  #watched: readonly Watched[] | undefined
  #rewarded = false
  #steps = 0

  constructor(env: MultiAgentEnv) {
    this.#env = env
  }

  afterReset(): void {
    this.#watched ??= floatViews(this.#env).map(({ name, view }) => ({
      name,
      first: view.slice(),
      constant: new Uint8Array(view.length).fill(1),
    }))
    this.#compare()
  }

  afterStep(): void {
    this.#steps++
    this.#rewarded ||= this.#env.rewards.some((reward) => reward !== 0)
    this.#compare()
  }

  /** @returns a note for each view with such entries; views that never change at all, and missing rewards, are findings */
  report(findings: Findings): string[] {
    if (this.#steps === 0 || this.#watched === undefined) return []
    const after = `in ${this.#steps} steps of random actions`
    if (!this.#rewarded && this.#steps >= REWARDED_STEPS) {
      const how = `all rewards are 0 ${after}`
      findings.add(
        'no-reward',
        `${how}: fill rewards in every step, or give rewards that random actions can reach`,
      )
    }
    // A game without a state shows the same always.
    if (this.#watched.every(({ constant }) => constant.every((flag) => flag === 1))) return []
    /** Names of the views with the same constant places. */
    const alike = new Map<string, string[]>()
    this.#watched.forEach(({ name, constant }, view) => {
      const entries = [...constant.keys()].filter((i) => constant[i] === 1 && !this.#isIdentity(view, i))
      if (entries.length === 0) return
      if (entries.length === constant.length) {
        const right = 'publish it in reset and in every step'
        findings.add('constant', `${name} never changed ${after}: ${right}`, name)
        return
      }
      const places = placesOf(entries)
      alike.set(places, [...(alike.get(places) ?? []), name])
    })
    return [...alike].map(([places, names]) => `${places} of ${names.join(', ')} never changed ${after}`)
  }

  #compare(): void {
    floatViews(this.#env).forEach(({ view }, k) => {
      const { first, constant } = this.#watched![k]
      for (let i = 0; i < constant.length; i++) if (view[i] !== first[i]) constant[i] = 0
    })
  }

  /** Whether an element distinguishes agents: constant for each of them, but not equal for all. */
  #isIdentity(view: number, entry: number): boolean {
    const agents = this.#watched!.slice(0, this.#env.observations.length)
    if (view >= agents.length) return false
    const others = agents.filter(({ first }) => first.length > entry)
    const { first } = agents[view]
    return (
      others.every(({ constant }) => constant[entry] === 1) &&
      others.some((other) => other.first[entry] !== first[entry])
    )
  }
}

function floatViews(env: MultiAgentEnv): { name: string; view: Float32Array }[] {
  return seenViews(env).flatMap(({ name, view }) => (view instanceof Float32Array ? [{ name, view }] : []))
}

/** Successive numbers as pairs of their first and last. */
function runsOf(entries: readonly number[]): [number, number][] {
  const runs: [number, number][] = []
  for (const entry of entries) {
    const run = runs.at(-1)
    if (run?.[1] === entry - 1) run[1] = entry
    else runs.push([entry, entry])
  }
  return runs
}

/** `[0..3], [7]`, with the number of further runs. */
function placesOf(entries: readonly number[]): string {
  const runs = runsOf(entries)
  const named = runs
    .slice(0, NAMED_RUNS)
    .map(([from, to]) => (from === to ? `[${from}]` : `[${from}..${to}]`))
  const more = runs.length - named.length
  return `${named.join(', ')}${more > 0 ? ` and ${more} more such places` : ''}`
}
