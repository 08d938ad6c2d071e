import assert from 'node:assert/strict'
import { appendFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { loadModelFile } from '../../src/envs/mujoco/disk.js'
import { doublesOf, integersOf, loadMujoco } from '../../src/envs/mujoco/load.js'
import { CRAWLER, TETRAHEDRON, writeFiles } from './team-model.js'

const mujoco = await loadMujoco()

/** Error of a load. */
function failure(path: string): Error {
  try {
    loadModelFile(mujoco, path)
  } catch (error) {
    return error as Error
  }
  assert.fail(`${path} was loaded`)
}

test('a model is compiled with its includes and meshes, and lists them all', (t) => {
  const folder = realpathSync(writeFiles(t, CRAWLER))
  const { handle, files } = loadModelFile(mujoco, join(folder, 'robot.xml'))
  assert.deepEqual(
    [...files].sort(),
    Object.keys(CRAWLER)
      .map((name) => join(folder, name))
      .sort(),
  )
  const hull = mujoco.api.mj_name2id(handle, 1, 'hull')
  const mass = doublesOf(handle, 'body_mass')[hull]
  assert.ok(Math.abs(mass - (500 * 0.2 * 0.2 * 0.2) / 6) < 1e-6, `${mass} kg`)
  assert.equal(handle.njnt, 6)
  handle.delete()
})

test('binary meshes, height fields and attached models are also read', (t) => {
  const folder = writeFiles(t, {
    'main.xml': `<mujoco><asset>
      <model name="arm" file="arms/arm.xml"/><hfield name="hills" file="hills.bin" size="1 1 2 0.1"/></asset>
      <worldbody><geom type="hfield" hfield="hills"/><frame pos="0 0 1"><attach model="arm" body="arm" prefix="a_"/></frame></worldbody></mujoco>`,
    'arms/arm.xml': `<mujoco><compiler meshdir="../meshes"/><asset><mesh name="m" file="m.stl"/></asset>
      <worldbody><body name="arm"><joint name="turn"/><geom type="mesh" mesh="m"/></body></worldbody></mujoco>`,
    'meshes/m.stl': stl(),
    'hills.bin': heights([0, 1, 3, 2, 4, 1]),
  })
  const { handle, files } = loadModelFile(mujoco, join(folder, 'main.xml'))
  assert.equal(files.length, 4)
  assert.deepEqual(Array.from(integersOf(handle, 'mesh_vertnum')), [4])
  // Heights are scaled to 0 .. 1.
  assert.deepEqual(Array.from(handle.hfield_data as Float32Array), [0, 0.25, 0.75, 0.5, 1, 0.25])
  assert.ok(mujoco.api.mj_name2id(handle, 3, 'a_turn') >= 0)
  handle.delete()
})

test('the digest depends on contents and relative locations of the files, not on their folder', (t) => {
  const load = (folder: string) => {
    const { handle, sha256 } = loadModelFile(mujoco, join(folder, 'robot.xml'))
    handle.delete()
    return sha256
  }
  const folder = writeFiles(t, CRAWLER)
  const first = load(folder)
  assert.match(first, /^[0-9a-f]{64}$/)
  assert.equal(load(folder), first)
  assert.equal(load(writeFiles(t, CRAWLER)), first)
  for (const name of Object.keys(CRAWLER)) {
    const changed = writeFiles(t, CRAWLER)
    appendFileSync(join(changed, name), '\n')
    assert.notEqual(load(changed), first, name)
  }
  const moved = writeFiles(t, {
    ...CRAWLER,
    'robot.xml': CRAWLER['robot.xml'].replace('assets/meshes', 'meshes'),
    'meshes/hull.obj': TETRAHEDRON,
  })
  assert.notEqual(load(moved), first)
})

test('a changed mesh is read again in the same thread', (t) => {
  const folder = writeFiles(t, CRAWLER)
  const mass = () => {
    const { handle } = loadModelFile(mujoco, join(folder, 'robot.xml'))
    const found = doublesOf(handle, 'body_mass')[mujoco.api.mj_name2id(handle, 1, 'hull')]
    handle.delete()
    return found
  }
  const before = mass()
  writeFileSync(join(folder, 'assets/meshes/hull.obj'), TETRAHEDRON.replaceAll('0.2', '0.4'))
  assert.ok(Math.abs(mass() / before - 8) < 1e-5)
})

test('mistakes in a model are reported in one line of MuJoCo, with the file', (t) => {
  const document = (text: string) => join(writeFiles(t, { 'bad.xml': text }), 'bad.xml')
  const wrong: [path: string, ...words: string[]][] = [
    [
      document('<mujoco><worldbody><geom size="x"/></worldbody></mujoco>'),
      "bad format in attribute 'size'",
      'line 1',
    ],
    [document('<mujoco><worldbody><body><joint/></body></worldbody></mujoco>'), 'mass and inertia'],
    [
      document(
        '<mujoco><asset><mesh name="q" file="gone.obj"/></asset><worldbody><geom type="mesh" mesh="q"/></worldbody></mujoco>',
      ),
      'gone.obj',
    ],
    [document('<mujoco><include file="gone.xml"/></mujoco>'), 'gone.xml'],
    [document('no xml'), 'XML'],
  ]
  for (const [path, ...words] of wrong) {
    const { name, message } = failure(path)
    assert.equal(name, 'HatrpoError')
    assert.ok(message.startsWith(`model ${path} does not compile: `), message)
    assert.doesNotMatch(message, /\n|\/disk/)
    for (const word of words) assert.ok(message.includes(word), `${message} lacks ${word}`)
  }
  assert.equal(failure('/nowhere/robot.xml').message, 'model /nowhere/robot.xml: there is no such file')
})

/** The tetrahedron as a binary STL file. */
function stl(): Uint8Array {
  const corners = [
    [0, 0, 0],
    [0.2, 0, 0],
    [0, 0.2, 0],
    [0, 0, 0.2],
  ]
  const faces = [
    [0, 2, 1],
    [0, 1, 3],
    [0, 3, 2],
    [1, 2, 3],
  ]
  const bytes = Buffer.alloc(84 + 50 * faces.length)
  bytes.writeUInt32LE(faces.length, 80)
  faces.forEach((face, f) =>
    face.forEach((corner, i) =>
      corners[corner].forEach((x, axis) => bytes.writeFloatLE(x, 84 + 50 * f + 12 + 12 * i + 4 * axis)),
    ),
  )
  return bytes
}

/** Two rows of three heights in MuJoCo's own format. */
function heights(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(8 + 4 * values.length)
  bytes.writeInt32LE(2, 0)
  bytes.writeInt32LE(3, 4)
  values.forEach((value, i) => bytes.writeFloatLE(value, 8 + 4 * i))
  return bytes
}
