// Time of an environment step against the mj_step calls inside it, bare, in the same WebAssembly binary, and against
// native libmujoco: the same episodes on all three, in turns, in one run. CPU time, which
// a busy machine adds less to.
//
//   node dist/bench/environments.js [ID ...] [--all] [--rounds N] [--steps N] [--no-native] [--json]
//
// Without ids: one division of every task; with --all: every division. Native steps need a C compiler and
// libmujoco (Debian: gcc, libmujoco-dev).
import { parseArgs } from 'node:util'
import { HatrpoError, usageError } from '../src/errors.js'
import { EnvContext, listEnvs, makeEnvFactory, parseEnvId, type MultiAgentEnv } from '../src/envs/index.js'
import { addressOf, integersOf } from '../src/envs/mujoco/load.js'
import { World } from '../src/envs/mujoco/world.js'
import { parseSegments } from '../src/envs/mamujoco/partition.js'
import type { Task, TaskVersion } from '../src/envs/mamujoco/task.js'
import { findTask } from '../src/envs/mamujoco/tasks.js'
import { NativeProgram, type NativeRound, type NativeRun } from './native/program.js'
import { physicsState, record, type Recording } from './recording.js'
import { host, median, asJson, result, type Result } from '../src/bench/report.js'

/**
 * Steps timed at once, with one action. A round's figure is the median of its blocks, so that interrupted ones do not count.
 */
const BLOCK_STEPS = 5

type MjStep = (model: number, data: number) => void

/** Load of MuJoCo, on average over the ends of blocks. */
type Counts = Pick<NativeRound, 'contacts' | 'constraints' | 'iterations'>

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
  round(): { ours: number[]; bare: number[]; counts: Counts } {
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
        // Taking turns at going first: whatever the first leaves in the caches helps both alike.
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

function count(world: World, counts: Record<keyof Counts, number>): void {
  const { ncon, nefc } = world.handle
  counts.contacts += ncon
  counts.constraints += nefc
  counts.iterations += integersOf(world.handle, 'solver_niter')[0]
}

/** Figures of one environment, one value a round. */
interface Figures {
  readonly ours: number[]
  readonly bare: number[]
  readonly overBare: number[]
  readonly native: number[]
  readonly ofNative: number[]
  readonly counts: Counts
  readonly nativeCounts: Counts | undefined
  /** Of libmujoco. */
  readonly version: string | undefined
  /** Bytes of MuJoCo's data of one world. */
  readonly memory: number
}

async function measure(
  id: string,
  rounds: number,
  steps: number,
  context: EnvContext,
  program: NativeProgram | undefined,
): Promise<Figures> {
  const task = taskOf(id)
  const env = await makeEnvFactory({ id }).create(context)
  const world = new World(await context.model(task.xml), id)
  const recording = record(env, world, { frames: task.frames, blockSteps: BLOCK_STEPS, steps })
  const pair = new Pair(env, world, recording)
  const run = await program?.start(task.xml, recording)
  // Both sides warm up: one compiles, both fill their caches.
  const { counts } = pair.round()
  const nativeCounts = await run?.round()
  const figures = { ours: [], bare: [], overBare: [], native: [], ofNative: [] }
  for (let round = 0; round < rounds; round++) await measureRound(pair, run, figures)
  run?.close()
  const { nbuffer, narena } = world.handle
  env.dispose?.()
  world.dispose()
  return { ...figures, counts, nativeCounts, version: run?.version, memory: nbuffer + narena }
}

/** Adds one round to the figures. */
async function measureRound(
  pair: Pair,
  run: NativeRun | undefined,
  figures: Pick<Figures, 'ours' | 'bare' | 'overBare' | 'native' | 'ofNative'>,
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

/** The task behind a built-in environment of default options. */
function taskOf(id: string): Task {
  const { config } = makeEnvFactory({ id })
  const [name, division] = parseEnvId(id).name.split('-')
  const size = parseSegments(name, division)
  return findTask(name, config['version'] as TaskVersion, size && size.agents * size.each)!
}

function results(id: string, figures: Figures): Result[] {
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

const COLUMNS: readonly (readonly [title: string, width: number])[] = [
  ['', 32],
  ['env.step()', 11],
  ['mj_step', 9],
  ['ratio', 8],
  ['native', 9],
  ['native/ours', 12],
  ['contacts', 12],
  ['constraints', 13],
  ['iterations', 12],
  ['KiB', 7],
]

function printRow(cells: readonly string[]): void {
  const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i][1]) : cell.padStart(COLUMNS[i][1])))
  console.log(padded.join('').trimEnd())
}

/** The medians of one environment, and what MuJoCo worked on: here / native. */
function printFigures(id: string, { ours, bare, overBare, native, ofNative, ...rest }: Figures): void {
  const show = (values: readonly number[], digits: number) =>
    values.length === 0 ? '-' : median(values).toFixed(digits)
  const { counts, nativeCounts, memory } = rest
  const pair = (name: keyof Counts) =>
    [counts, nativeCounts].map((side) => (side === undefined ? '-' : side[name].toFixed(1))).join(' / ')
  const times = [show(ours, 1), show(bare, 1), show(overBare, 4), show(native, 1), show(ofNative, 3)]
  const work = [pair('contacts'), pair('constraints'), pair('iterations'), (memory / 1024).toFixed(0)]
  printRow([id, ...times, ...work])
}

interface Options {
  readonly ids: readonly string[]
  readonly rounds: number
  readonly steps: number
  readonly native: boolean
  readonly json: boolean
}

/** @throws HatrpoError (exit code 2) for an unknown option */
function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      allowNegative: true,
      options: {
        all: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '15' },
        steps: { type: 'string', default: '600' },
        native: { type: 'boolean', default: true },
        json: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

/** @throws HatrpoError (exit code 2) for an unknown option or id, or a wrong number */
function options(args: string[]): Options {
  const { values, positionals } = parse(args)
  const whole = (name: 'rounds' | 'steps') => {
    const value = Number(values[name])
    if (Number.isSafeInteger(value) && value >= 1) return value
    throw usageError(`--${name} ${values[name]}: must be a whole number from 1`)
  }
  const listed = listEnvs().map(({ id }) => id)
  const taskName = (id: string) => id.split('-')[0]
  const first = listed.filter((id, i) => i === 0 || taskName(id) !== taskName(listed[i - 1]))
  const ids = positionals.length > 0 ? positionals : values.all ? listed : first
  for (const id of ids) makeEnvFactory({ id })
  return { ids, rounds: whole('rounds'), steps: whole('steps'), native: values.native, json: values.json }
}

/** The native program, or nothing and a line on standard error. */
function compileNative(): NativeProgram | undefined {
  const program = NativeProgram.compile()
  if (typeof program !== 'string') return program
  console.error(`native figures are left out: ${program}`)
  return undefined
}

async function main(): Promise<void> {
  const { ids, rounds, steps, native, json } = options(process.argv.slice(2))
  const program = native ? compileNative() : undefined
  const context = new EnvContext()
  const all: Result[] = []
  try {
    if (!json) {
      console.log(`us of CPU time a step, medians of ${rounds} rounds (${host.cpu}, Node ${host.node})`)
      printRow(COLUMNS.map(([title]) => title))
    }
    for (const id of ids) {
      const figures = await measure(id, rounds, steps, context, program)
      all.push(...results(id, figures))
      if (!json) printFigures(id, figures)
    }
  } finally {
    program?.dispose()
  }
  if (json) console.log(asJson(all))
}

try {
  await main()
} catch (error) {
  if (!(error instanceof HatrpoError)) throw error
  console.error(error.message)
  process.exitCode = error.exitCode
}
