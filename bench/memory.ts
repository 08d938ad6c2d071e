// Memory of every built-in environment: what a further one of a kind takes in a thread, and its saved state.
//
//   node --expose-gc dist/bench/memory.js [WORD ...] [--json]
//
// With words: ids that contain one of them.
import { arch, cpus, platform } from 'node:os'
import { parseArgs } from 'node:util'
import { EnvContext, listEnvs, makeEnvFactory } from '../src/envs/index.js'
import { World } from '../src/envs/mujoco/world.js'
import { parseSegments } from '../src/envs/mamujoco/partition.js'
import { derivedArrays, type TaskVersion } from '../src/envs/mamujoco/task.js'
import { findTask } from '../src/envs/mamujoco/tasks.js'
import { RandomStream } from '../src/envs/random.js'
import { HatrpoError, usageError } from '../src/errors.js'

/** Environments over which JavaScript's part is averaged, and worlds whose distance in memory is measured. */
const COUNT = 24
/** Steps with random actions, over which the arena's use is watched. */
const STEPS = 1000

/** Bytes, of one environment if nothing else is said. */
interface Memory {
  /** The compiled model, shared by all environments of a thread. */
  readonly model: number
  /** A world in MuJoCo's memory: MjData with its buffer and arena, and what the bindings hold of it. */
  readonly world: number
  /** Of it, the arena: contacts, constraints and the stack of the solver. */
  readonly arena: number
  /** Of the arena, the most that was in use. */
  readonly arenaUsed: number
  /** Views and all other objects. */
  readonly javascript: number
  readonly saved: number
}

async function measure(id: string): Promise<Memory> {
  const context = new EnvContext()
  const factory = makeEnvFactory({ id })
  const first = await factory.create(context)
  first.reset(1)
  const saved = first.saveState!().byteLength

  const before = collected()
  const envs = []
  for (let i = 0; i < COUNT; i++) envs.push(await factory.create(context))
  const javascript = Math.round((collected() - before) / COUNT)
  for (const env of envs) env.dispose!()

  const [task, division] = id.split('/')[1].split('-')
  const segments = parseSegments(task, division)
  const found = findTask(
    task,
    factory.config['version'] as TaskVersion,
    segments && segments.agents * segments.each,
  )!
  const model = await context.model(found.xml)
  const derived = derivedArrays(found)
  const worlds = Array.from({ length: COUNT }, () => new World(model, id, derived))
  const places = worlds.map(({ qpos }) => qpos * Float64Array.BYTES_PER_ELEMENT).sort((a, b) => a - b)
  const distances = places.slice(1).map((place, i) => place - places[i])
  distances.sort((a, b) => a - b)
  const { handle } = worlds[0]
  const arenaUsed = busiest(worlds[0], found.frames, found.controlRange)
  return {
    model: model.handle.nbuffer,
    world: distances[distances.length >> 1],
    arena: handle.narena,
    arenaUsed,
    javascript,
    saved,
  }
}

/** The most of its arena that a world uses over steps with random controls, started anew when it goes bad. */
function busiest(world: World, frames: number, range: number): number {
  const random = new RandomStream(1, 1)
  world.reset()
  let most = 0
  for (let step = 0; step < STEPS; step++) {
    const memory = world.doubles()
    for (let i = 0; i < world.model.nu; i++) memory[world.ctrl + i] = range * (2 * random.uniform() - 1)
    world.step(frames)
    most = Math.max(most, world.handle.maxuse_arena)
  }
  return most
}

/** Bytes of JavaScript's heap and of array buffers that are still reachable. */
function collected(): number {
  for (let i = 0; i < 3; i++) globalThis.gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function options(): { ids: string[]; json: boolean } {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  if (globalThis.gc === undefined) throw usageError('run node with --expose-gc: garbage would be counted')
  const ids = listEnvs().map(({ id }) => id)
  const chosen = ids.filter((id) => positionals.length === 0 || positionals.some((word) => id.includes(word)))
  if (chosen.length === 0)
    throw usageError(`${positionals.join(' ')}: no id contains it; there are ${ids.join(', ')}`)
  return { ids: chosen, json: values.json }
}

function print(id: string, { model, world, arena, arenaUsed, javascript, saved }: Memory): void {
  const columns = [world, arena, arenaUsed, javascript, saved, model]
  console.log(id.padEnd(34) + columns.map((bytes) => (bytes / 1024).toFixed(1).padStart(11)).join(''))
}

const COLUMNS = ['world', 'its arena', 'used', 'JavaScript', 'saved', 'model']

async function main(): Promise<void> {
  const { ids, json } = options()
  if (!json) console.log('KiB'.padEnd(34) + COLUMNS.map((name) => name.padStart(11)).join(''))
  const results = []
  for (const id of ids) {
    const memory = await measure(id)
    if (!json) print(id, memory)
    for (const [name, bytes] of Object.entries(memory))
      results.push({ name: `${id} ${name}`, unit: 'bytes', median: bytes, min: bytes, max: bytes })
  }
  const host = {
    node: process.version,
    platform: platform(),
    arch: arch(),
    cpu: cpus()[0]?.model ?? 'unknown',
  }
  if (json) console.log(JSON.stringify({ host, results }, null, 2))
}

try {
  await main()
} catch (error) {
  if (!(error instanceof HatrpoError)) throw error
  console.error(error.message)
  process.exitCode = error.exitCode
}
