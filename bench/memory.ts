// Memory of every environment that MuJoCo simulates: that of a further one of the same kind in a thread, and its saved
// state.
//
//   node --expose-gc dist/bench/memory.js [WORD ...] [--json]
//
// With words: ids that contain one of them.
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { EnvContext, makeEnvFactory, type EnvFactory, type MultiAgentEnv } from '../src/envs/index.js'
import { World } from '../src/envs/mujoco/world.js'
import { parseSegments } from '../src/envs/mamujoco/partition.js'
import { derivedArrays, type Task, type TaskVersion } from '../src/envs/mamujoco/task.js'
import { findTask } from '../src/envs/mamujoco/tasks.js'
import { RandomStream } from '../src/envs/random.js'
import { simulatedEnvs } from '../src/envs/registry.js'
import { asJson, median, type Result } from '../src/bench/report.js'
import { usageError } from '../src/errors.js'
import { runMain } from './run-main.js'

/** Environments over which JavaScript's part is averaged, and worlds whose distance in memory is measured. */
const COUNT = 32
/** Of them, of which the middle one counts: the engine's own notes come and go. */
const ROUNDS = 5
/** Steps with random actions, over which the arena's use is watched. */
const STEPS = 1000

/** Bytes, of one environment if nothing else is said. */
interface Memory {
  /** A world in MuJoCo's memory: MjData with its buffer and arena, and the objects of the bindings. */
  readonly world: number
  /** Of it, the arena: contacts, constraints and the stack of the solver. */
  readonly arena: number
  /** Of the arena, the most that was in use over `STEPS`. */
  readonly arenaUsed: number
  /** Views and all other objects. */
  readonly javascript: number
  /** Result of `saveState`. */
  readonly saved: number
  /** The compiled model, shared by all environments of a thread. */
  readonly model: number
}

async function measure(id: string): Promise<Memory> {
  const context = new EnvContext()
  const factory = makeEnvFactory({ id })
  const first = await factory.create(context)
  first.reset(1)
  const saved = first.saveState!().byteLength

  const [name, division] = id.split('/')[1].split('-')
  const segments = parseSegments(name, division)
  const version = factory.config['version'] as TaskVersion
  const task = findTask(name, version, segments && segments.agents * segments.each)!
  const model = await context.model(task.xml)
  const worlds = Array.from({ length: COUNT }, () => new World(model, id, derivedArrays(task)))
  const places = worlds.map(({ qpos }) => qpos * Float64Array.BYTES_PER_ELEMENT).sort((a, b) => a - b)
  return {
    world: median(places.slice(1).map((place, i) => place - places[i])),
    arena: worlds[0].handle.narena,
    arenaUsed: busiest(worlds[0], task),
    javascript: await objects(factory, context),
    saved,
    model: model.handle.nbuffer,
  }
}

/** JavaScript's part of an environment. */
async function objects(factory: EnvFactory, context: EnvContext): Promise<number> {
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) rounds.push(await growth(factory, context))
  return median(rounds)
}

/** Bytes by which an environment makes JavaScript's heap grow, averaged over `COUNT`. */
async function growth(factory: EnvFactory, context: EnvContext): Promise<number> {
  const before = await collected()
  const envs: MultiAgentEnv[] = []
  for (let i = 0; i < COUNT; i++) envs.push(await factory.create(context))
  const after = await collected()
  for (const env of envs) env.dispose!()
  envs.length = 0
  return Math.round((after - before) / COUNT)
}

/** The most of its arena that a world uses over steps with random controls. */
function busiest(world: World, { frames, controlRange }: Task): number {
  const random = new RandomStream(1, 1)
  world.reset()
  let most = 0
  for (let step = 0; step < STEPS; step++) {
    const memory = world.doubles()
    for (let i = 0; i < world.model.nu; i++)
      memory[world.ctrl + i] = controlRange * (2 * random.uniform() - 1)
    world.step(frames)
    most = Math.max(most, world.handle.maxuse_arena)
  }
  return most
}

/** Bytes of JavaScript's heap and of array buffers that are still reachable. */
async function collected(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    // In a turn of its own, when nothing on the stack holds what is no longer needed.
    await setImmediate()
    await globalThis.gc!({ execution: 'async' })
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function options(): { ids: string[]; json: boolean } {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  if (globalThis.gc === undefined) throw usageError('run node with --expose-gc: garbage would be counted')
  const ids = simulatedEnvs()
  const chosen = ids.filter((id) => positionals.length === 0 || positionals.some((word) => id.includes(word)))
  if (chosen.length === 0)
    throw usageError(`${positionals.join(' ')}: no id contains it; there are ${ids.join(', ')}`)
  return { ids: chosen, json: values.json }
}

const COLUMNS: Readonly<Record<keyof Memory, string>> = {
  world: 'world',
  arena: 'its arena',
  arenaUsed: 'used',
  javascript: 'JavaScript',
  saved: 'saved',
  model: 'model',
}

function row(first: string, columns: readonly string[]): string {
  return first.padEnd(34) + columns.map((text) => text.padStart(11)).join('')
}

async function main(): Promise<void> {
  const { ids, json } = options()
  const names = Object.keys(COLUMNS) as (keyof Memory)[]
  if (!json) console.log(row('KiB', Object.values(COLUMNS)))
  const results: Result[] = []
  for (const id of ids) {
    const memory = await measure(id)
    if (!json)
      console.log(
        row(
          id,
          names.map((name) => (memory[name] / 1024).toFixed(1)),
        ),
      )
    for (const name of names) {
      const bytes = memory[name]
      results.push({ name: `${id} ${name}`, unit: 'bytes', median: bytes, min: bytes, max: bytes })
    }
  }
  if (json) console.log(asJson(results))
}

await runMain(main)
