import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { EnvContext } from '../../src/envs/context.js'
import { compileMujoco } from '../../src/envs/mujoco/compile.js'
import { doublesOf, loadMujoco } from '../../src/envs/mujoco/load.js'
import { World } from '../../src/envs/mujoco/world.js'
import { findTask } from '../../src/envs/mamujoco/tasks.js'

const context = new EnvContext()
const model = await context.model(findTask('HalfCheetah', 'v4')!.xml)

test('the stepper has no data of its own that could overwrite the memory of MuJoCo', async () => {
  const bytes = await readFile(new URL('../../assembly/stepper.wasm', import.meta.url))
  assert.ok(!sectionIds(bytes).includes(DATA_SECTION))
})

test('a compiled module loads as well as none', async () => {
  const module = await compileMujoco()
  const mujoco = await loadMujoco(module)
  assert.equal(mujoco.api.mj_versionString(), '3.14.0')
})

test('the stepper gives the bits that mj_step gives', () => {
  const ours = new World(model, 'ours')
  const theirs = new World(model, 'theirs')
  for (const world of [ours, theirs]) {
    world.reset()
    world.doubles().fill(0.7, world.ctrl, world.ctrl + model.nu)
    world.forward()
  }
  for (let step = 0; step < 20; step++) {
    ours.step(5)
    for (let frame = 0; frame < 5; frame++) model.mujoco.api.mj_step(model.handle, theirs.handle)
    assert.deepEqual(doublesOf(ours.handle, 'qpos'), doublesOf(theirs.handle, 'qpos'))
  }
  assert.equal(ours.handle.time, theirs.handle.time)
  ours.dispose()
  theirs.dispose()
})

test('contact forces on bodies are computed where they are asked for, and nowhere else', () => {
  for (const contactForces of [true, false]) {
    const world = new World(model, 'test', contactForces ? ['cfrc_ext'] : [])
    world.reset()
    world.forward()
    for (let step = 0; step < 20; step++) world.step(5)
    assert.ok(world.handle.ncon > 0)
    assert.equal(
      Array.from(world.handle.cfrc_ext as Float64Array).some((force) => force !== 0),
      contactForces,
    )
    world.dispose()
  }
})

test('a world uses less than half of its memory when every capsule lies on the ground', () => {
  const world = new World(model, 'test')
  world.reset()
  world.doubles()[world.qpos + 1] = -0.7
  world.forward()
  world.step(5)
  assert.ok(world.handle.maxuse_con >= 14, `${world.handle.maxuse_con} contacts`)
  assert.ok(world.handle.maxuse_arena < world.handle.narena / 2, `${world.handle.maxuse_arena} bytes`)
  world.dispose()
})

test('a swimmer of any length uses less than half of its memory when every hinge is beyond its limit', async () => {
  for (const segments of [2, 20, 100]) {
    const shared = await context.model(findTask('ManySegmentSwimmer', 'v4', segments)!.xml)
    const world = new World(shared, 'test')
    world.reset()
    world.doubles().fill(2, world.qpos + 3, world.qpos + shared.nq)
    world.forward()
    assert.equal(world.handle.nefc, segments)
    world.model.mujoco.api.mj_step(shared.handle, world.handle)
    const { maxuse_arena: used, narena: memory } = world.handle
    assert.ok(used < memory / 2 && memory < 2 << 20, `${segments} segments: ${used} of ${memory} bytes`)
    world.dispose()
  }
})

test('a hundred worlds fit before the memory of MuJoCo grows', async () => {
  const own = new EnvContext()
  const mujoco = await own.mujoco()
  const bytes = mujoco.doubles().byteLength
  const shared = await own.model(findTask('Walker2d', 'v4')!.xml)
  const worlds = Array.from({ length: 100 }, () => new World(shared, 'test'))
  assert.equal(mujoco.doubles().byteLength, bytes)
  for (const world of worlds) world.dispose()
})

test('worlds go on after the memory of MuJoCo has grown', async () => {
  const own = new EnvContext()
  const mujoco = await own.mujoco()
  const shared = await own.model(findTask('Hopper', 'v4')!.xml)
  const world = new World(shared, 'test')
  world.reset()
  world.forward()
  const before = mujoco.doubles()
  const others: World[] = []
  while (mujoco.doubles() === before) others.push(new World(shared, 'test'))
  world.step(4)
  assert.ok(world.doubles()[world.qpos + 1] < 1.25)
  for (const other of others) other.dispose()
})

test('an error inside MuJoCo is a PhysicsError, however often it comes', async () => {
  const xml = findTask('Hopper', 'v4')!.xml
  const cramped = await context.model(xml.replace('<size memory="128K"/>', '<size memory="4K"/>'))
  const world = new World(cramped, 'cramped')
  // More often than MuJoCo's stack would bear if each error kept its part of it.
  for (let time = 0; time < 20000; time++) {
    world.reset()
    assert.throws(() => world.step(4), { name: 'PhysicsError', message: /^cramped: MuJoCo stopped: .*stack/ })
  }
  world.dispose()
  const sound = new World(model, 'sound')
  sound.reset()
  sound.forward()
  sound.step(5)
  sound.dispose()
})

const DATA_SECTION = 11

/** The ids of a WebAssembly module's sections. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = []
  let at = 8
  while (at < bytes.length) {
    ids.push(bytes[at++])
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      size += (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    at += size
  }
  return ids
}
