import {
  makeEnvFactory,
  parseEnvId,
  type EnvConfig,
  type EnvContext,
  type MultiAgentEnv,
} from '../envs/index.js'
import { parseSegments } from '../envs/mamujoco/partition.js'
import type { Task, TaskVersion } from '../envs/mamujoco/task.js'
import { findTask } from '../envs/mamujoco/tasks.js'
import { addressOf, integersOf } from '../envs/mujoco/load.js'
import { World } from '../envs/mujoco/world.js'
import { physicsState, record, type Recording } from './recording.js'
import { median, result, type Result } from './report.js'
import type { PhysicsRival, PhysicsRound, PhysicsRun } from './rivals.js'

/**
 * Steps timed at once, with one action. A round's figure is the median of its blocks, so that interrupted ones do not count.
 */
const BLOCK_STEPS = 5

type MjStep = (model: number, data: number) => void

/** Load of MuJoCo, on average over the ends of blocks. */
export type PhysicsCounts = Pick<PhysicsRound, 'contacts' | 'constraints' | 'iterations'>

/** One task, ready to be run by both sides that share MuJoCo's binary. */
class Pair {
  readonly #env: MultiAgentEnv
  readonly #world: World
  readonly #recording: Recording
  readonly #mjStep: MjStep
  readonly #model: number
  readonly #data: number

  constructor(env: MultiAgentEnv, world: World, recording: Recording) {
    const { handle, mujoco } = world.model
    this.#env = env
    this.#world = world
    this.#recording = recording
    this.#mjStep = mujoco.table.get(mujoco.functionIndex('mj_step')) as MjStep
    this.#model = addressOf(handle)
    this.#data = addressOf(world.handle)
  }

  /** Runs all episodes once. @returns [blocks] microseconds a step of each side, and what MuJoCo worked on */
  round(): { ours: number[]; bare: number[]; counts: PhysicsCounts } {
    const env = this.#env
    const world = this.#world
    const recording = this.#recording
    const [ours, bare]: number[][] = [[], []]
    const counts = { contacts: 0, constraints: 0, iterations: 0 }
    const runOurs = () => ours.push(time(() => this.#runOurs()))
    const runBare = () => bare.push(time(() => this.#runBare()))
    for (const { seed, actions, controls } of recording.episodes) {
      env.reset(seed)
      world.load(physicsState(env))
      for (let block = 0; block < actions.length; block++) {
        for (const [k, action] of actions[block].entries()) env.actions[k].set(action)
        world.doubles().set(controls[block], world.ctrl)
        // The sides alternate in going first, because the contents of the caches help the second.
        const turns = ours.length % 2 === 0 ? [runOurs, runBare] : [runBare, runOurs]
        for (const run of turns) run()
        count(world, counts)
      }
      this.#checkSame()
    }
    for (const name of ['contacts', 'constraints', 'iterations'] as const) counts[name] /= ours.length
    return { ours, bare, counts }
  }

  #runOurs(): void {
    for (let step = 0; step < BLOCK_STEPS; step++) this.#env.step()
  }

  #runBare(): void {
    const mjStep = this.#mjStep
    const model = this.#model
    const data = this.#data
    const frames = BLOCK_STEPS * this.#recording.frames
    for (let frame = 0; frame < frames; frame++) mjStep(model, data)
  }

  /** @throws Error when the two sides are not in the same state, to the bit: they would not have done the same work */
  #checkSame(): void {
    const world = this.#world
    const bare = new Float64Array(world.savedSize)
    world.save(bare)
    const ours = physicsState(this.#env)
    if (!bare.every((x, i) => x === ours[i])) throw new Error(`${world.envId}: the two sides are not alike`)
  }
}

/** Microseconds of CPU time a step. */
function time(runBlock: () => void): number {
  const start = process.cpuUsage()
  runBlock()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / BLOCK_STEPS
}

function count(world: World, counts: Record<keyof PhysicsCounts, number>): void {
  const { ncon, nefc } = world.handle
  counts.contacts += ncon
  counts.constraints += nefc
  counts.iterations += integersOf(world.handle, 'solver_niter')[0]
}

/** Figures of one environment, one value a round. */
export interface PhysicsFigures {
  readonly ours: number[]
  readonly bare: number[]
  readonly overBare: number[]
  readonly native: number[]
  readonly ofNative: number[]
  readonly counts: PhysicsCounts
  readonly nativeCounts: PhysicsCounts | undefined
  /** Of libmujoco. */
  readonly version: string | undefined
  /** Bytes of MuJoCo's data of one world. */
  readonly memory: number
}

/**
 * Alternates between three ways to run the same episodes: by `env.step()`, by only its calls of `mj_step` in the same
 * WebAssembly binary, and by those calls in another MuJoCo, if there is one.
 * @param steps number of steps of all episodes of a round
 */
export async function measurePhysics(
  config: EnvConfig,
  { rounds, steps }: { rounds: number; steps: number },
  context: EnvContext,
  rival: PhysicsRival | null,
): Promise<PhysicsFigures> {
  const { id } = config
  const task = taskOf(config)
  const env = await makeEnvFactory(config).create(context)
  const world = new World(await context.model(task.xml), id)
  const recording = record(env, world, { frames: task.frames, blockSteps: BLOCK_STEPS, steps })
  const pair = new Pair(env, world, recording)
  const run = await rival?.start(task.xml, recording)
  // Both sides warm up: one compiles, both fill their caches.
  const { counts } = pair.round()
  const nativeCounts = await run?.round()
  const figures = { ours: [], bare: [], overBare: [], native: [], ofNative: [] }
  for (let round = 0; round < rounds; round++) await measureRound(pair, run, figures)
  await run?.close()
  const { nbuffer, narena } = world.handle
  env.dispose?.()
  world.dispose()
  return { ...figures, counts, nativeCounts, version: run?.version, memory: nbuffer + narena }
}

/** Adds one round to the figures. */
async function measureRound(
  pair: Pair,
  run: PhysicsRun | undefined,
  figures: Pick<PhysicsFigures, 'ours' | 'bare' | 'overBare' | 'native' | 'ofNative'>,
): Promise<void> {
  const { ours, bare } = pair.round()
  figures.ours.push(median(ours))
  figures.bare.push(median(bare))
  // The two ran each block from the same state, at the same moment.
  figures.overBare.push(median(ours.map((us, block) => us / bare[block])))
  const native = await run?.round()
  if (native === undefined) return
  figures.native.push(median(native.us))
  figures.ofNative.push(median(native.us) / median(ours))
}

/** The task behind a built-in environment. */
function taskOf(given: EnvConfig): Task {
  const { id } = given
  const { config } = makeEnvFactory(given)
  const [name, division] = parseEnvId(id).name.split('-')
  const size = parseSegments(name, division)
  return findTask(name, config['version'] as TaskVersion, size && size.agents * size.each)!
}

/** The figures of an environment as results. */
export function physicsResults(id: string, figures: PhysicsFigures): Result[] {
  const { ours, bare, overBare, native, ofNative, version, memory } = figures
  const own = [
    result(`${id} env.step()`, 'us', ours),
    result(`${id} mj_step, same binary`, 'us', bare),
    result(`${id} env.step() / mj_step, same binary`, 'x', overBare),
    result(`${id} memory of a world`, 'KiB', [memory / 1024]),
  ]
  if (version === undefined) return own
  return [
    ...own,
    result(`${id} mj_step, libmujoco ${version}`, 'us', native),
    result(`${id} mj_step, libmujoco ${version} / env.step()`, 'x', ofNative),
  ]
}
