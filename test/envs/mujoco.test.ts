import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { EnvContext } from '../../src/envs/context.js'
import { compileMujoco } from '../../src/envs/mujoco/compile.js'
import { modelFlags } from '../../src/envs/mujoco/flags.js'
import { doublesOf, loadMujoco } from '../../src/envs/mujoco/load.js'
import { World } from '../../src/envs/mujoco/world.js'
import { findTask } from '../../src/envs/mamujoco/tasks.js'

const BINARY = '@mujoco/mujoco/mujoco.wasm'
const context = new EnvContext()
const model = await context.model(findTask('HalfCheetah', 'v4')!.xml)

test('the stepper has no data of its own that could overwrite the memory of MuJoCo', async () => {
  const bytes = await readFile(new URL('../../assembly/stepper.wasm', import.meta.url))
  assert.ok(!sectionIds(bytes).includes(DATA_SECTION))
})

test('MuJoCo loads with and without a compiled module, also from a path', async () => {
  const module = await compileMujoco(relative('.', fileURLToPath(import.meta.resolve(BINARY))))
  const mujoco = await loadMujoco(module)
  assert.equal(mujoco.api.mj_versionString(), '3.14.0')
})

test('the URL of the binary may be relative to the page, as a bundler gives it', async (t) => {
  const asked: string[] = []
  t.mock.method(globalThis, 'fetch', (url: URL) => {
    asked.push(url.href)
    return Promise.resolve(new Response('<!doctype html>'))
  })
  const page = { href: 'https://example.test/app/index.html' }
  Object.defineProperty(globalThis, 'location', { value: page, configurable: true })
  t.after(() => Reflect.deleteProperty(globalThis, 'location'))
  for (const url of ['/assets/mujoco.wasm', './mujoco.wasm', 'https://cdn.test/mujoco.wasm'])
    await assert.rejects(compileMujoco(url), {
      name: 'HatrpoError',
      message: /^https:\S+ cannot be compiled \(.+\): it must be mujoco\.wasm of @mujoco\/mujoco 3\.14\.0, /,
    })
  const [host, cdn] = ['https://example.test', 'https://cdn.test']
  assert.deepEqual(asked, [`${host}/assets/mujoco.wasm`, `${host}/app/mujoco.wasm`, `${cdn}/mujoco.wasm`])
  await assert.rejects(compileMujoco('http://['), { message: /^compileMujoco: "http:\/\/\[" is not a URL: / })
})

test('the stepper gives the bits of mj_step', () => {
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

test('worlds that step together give the same bits as separately', () => {
  const [alone, together, other] = ['alone', 'together', 'other'].map((name) => new World(model, name))
  for (const world of [alone, together, other]) {
    world.reset()
    world.doubles().fill(0.7, world.ctrl, world.ctrl + model.nu)
    world.forward()
  }
  for (let step = 0; step < 20; step++) {
    alone.step(5)
    other.submit(step % 3)
    together.submit(2)
    together.submit(3)
    other.finish()
    together.finish()
    assert.deepEqual(doublesOf(alone.handle, 'qpos'), doublesOf(together.handle, 'qpos'))
  }
  assert.notDeepEqual(doublesOf(other.handle, 'qpos'), doublesOf(together.handle, 'qpos'))
  for (const world of [alone, together, other]) world.dispose()
})

test('of worlds that step together, only the broken one throws; an unused step has no effect', async () => {
  const xml = findTask('Hopper', 'v4')!.xml
  const small = await context.model(xml.replace('<size memory="128K"/>', '<size memory="4K"/>'))
  const sound = [new World(model, 'sound 0'), new World(model, 'sound 1'), new World(model, 'sound 2')]
  const cramped = [new World(small, 'cramped 0'), new World(small, 'cramped 1')]
  const bad = new World(model, 'bad')
  for (const world of [...sound, bad]) {
    world.reset()
    world.forward()
  }
  for (const world of cramped) world.reset()
  bad.doubles()[bad.qvel] = NaN
  const order = [cramped[0], sound[0], cramped[1], bad, sound[1], sound[2]]
  for (const world of order) world.submit(5)
  sound[2].reset()
  for (const world of cramped) {
    assert.throws(() => world.finish(), {
      name: 'PhysicsError',
      message: /^cramped \d: MuJoCo stopped: .*stack/,
    })
  }
  assert.throws(() => bad.finish(), { name: 'PhysicsError', quantity: 'qvel' })
  for (const world of sound.slice(0, 2)) {
    world.finish()
    assert.ok(Math.abs(world.handle.time - 0.05) < 1e-12)
  }
  assert.equal(sound[2].handle.time, 0)
  sound[2].step(1)
  assert.equal(sound[2].handle.time, 0.01)
  for (const world of order) world.dispose()
})

test('contact forces on bodies are computed only on request', () => {
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

test('a swimmer uses less than half of its memory when every hinge is at its limit', async () => {
  for (const links of [2, 20, 100]) {
    const world = new World(await context.model(findTask('ManySegmentSwimmer', 'v4', links)!.xml), 'test')
    world.reset()
    const root = 3
    world.doubles().fill(2, world.qpos + root, world.qpos + root + links)
    world.forward()
    world.step(4)
    assert.equal(world.handle.nefc, links)
    assert.ok(world.handle.maxuse_arena < world.handle.narena / 2, `${world.handle.maxuse_arena} bytes`)
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

test('worlds keep working after the memory of MuJoCo has grown', async () => {
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

test('the flags of models can be read repeatedly', async () => {
  const own = new EnvContext()
  const shared = await own.model(findTask('Ant', 'v4')!.xml)
  const first = modelFlags(shared.mujoco, shared.handle)
  assert.deepEqual(first['actuator_ctrllimited'], new Array(8).fill(1))
  // More often than MuJoCo's stack would bear if each flag kept its part of it.
  for (let time = 0; time < 300; time++) {
    assert.deepEqual(modelFlags(shared.mujoco, shared.handle), first)
  }
  assert.equal((await own.model(findTask('Hopper', 'v4')!.xml)).nu, 3)
})

test('an error inside MuJoCo is a PhysicsError, also repeatedly', async () => {
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

test('a world that does not fit into memory is refused in one line; the others keep working', async () => {
  const roomy = findTask('Hopper', 'v4')!.xml.replace('<size memory="128K"/>', '<size memory="900M"/>')
  const own = new EnvContext()
  const shared = await own.model(roomy)
  const worlds = [new World(shared, 'test'), new World(shared, 'test')]
  assert.throws(() => new World(shared, 'third'), {
    name: 'HatrpoError',
    message: /^third: no room for another world of 901 MiB in the 2 GiB .* <size memory="1M"\/>$/,
  })
  for (const world of worlds) {
    world.reset()
    world.forward()
    world.step(4)
    world.dispose()
  }
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
