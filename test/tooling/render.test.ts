import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { decode } from 'fast-png'
import { posedScene } from '../../scripts/docs/pose.js'
import { doublesOf, loadMujoco } from '../../src/envs/mujoco/load.js'
import { actuatorNames, SceneReader } from '../../src/envs/mujoco/scene.js'
import { PhysicsModel } from '../../src/envs/mujoco/world.js'
import type { Scene } from '../../src/envs/scene.js'
import { agentColour } from '../../src/render/colours.js'
import { encodePng } from '../../src/render/png.js'
import { bodyOf } from '../../src/render/shapes.js'
import { draw, type Picture } from '../../src/render/trace.js'

/** One geom of every kind that can be drawn, on a chain of three hinges. */
const MODEL = `<mujoco>
  <compiler meshdir="meshes" angle="radian"/>
  <default><geom group="1"/></default>
  <asset><mesh name="wedge" file="wedge.obj"/></asset>
  <worldbody>
    <geom name="floor" type="plane" size="5 5 .1" group="0"/>
    <body pos="0 0 1">
      <joint name="a" axis="0 1 0"/>
      <geom type="box" size=".3 .2 .1" euler=".3 .2 .1"/>
      <geom type="sphere" size=".15" pos="-.6 .1 0"/>
      <body pos=".6 0 0">
        <joint name="b" axis="0 1 0"/>
        <geom type="ellipsoid" size=".3 .1 .15" euler="0 .4 .2"/>
        <geom type="capsule" size=".06" fromto="0 -.2 0 .1 -.5 .2"/>
        <body name="hand" pos=".5 0 0">
          <joint name="c" axis="0 1 0"/>
          <geom type="mesh" mesh="wedge"/>
          <geom type="cylinder" size=".1 .2" pos="-.1 .4 0" euler=".5 0 0"/>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="a"/><motor joint="b"/><motor joint="c"/></actuator>
</mujoco>`
const WEDGE = `v 0 0 .3\nv .2 .2 -.1\nv -.2 .2 -.1\nv 0 -.3 -.1\nf 1 2 3\nf 1 3 4\nf 1 4 2\nf 2 4 3\n`

const mujoco = await loadMujoco()
const { FS } = mujoco.api as unknown as {
  FS: { mkdirTree(path: string): void; writeFile(path: string, data: string): void }
}
FS.mkdirTree('/render/meshes')
FS.writeFile('/render/model.xml', MODEL)
FS.writeFile('/render/meshes/wedge.obj', WEDGE)
const model = mujoco.api.MjModel.from_xml_path('/render/model.xml')
const physics = new PhysicsModel(mujoco, model)
const PARTS = [[0], [1], [2]]

/** Evenly spread numbers from 0 to 1. */
const spread = (i: number, k: number) => (0.5 + i * [0.8191725, 0.6710436, 0.5497005, 0.4503][k]) % 1

/** Distance to the first solid, and the angle at which the ray meets its surface, as a cosine. */
function trace({ solids }: Scene, o: number[], d: number[]): { distance: number; facing: number } {
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
  let nearest = { distance: Infinity, facing: 0 }
  for (const { shape: form, position, rotation: m } of solids) {
    const shape = bodyOf(form)
    const axes = [0, 1, 2].map((k) => [m[k], m[3 + k], m[6 + k]])
    const from = o.map((x, i) => x - position[i])
    const p = axes.map((axis) => dot(axis, from))
    const v = axes.map((axis) => dot(axis, d))
    const distance = shape.hit(p[0], p[1], p[2], v[0], v[1], v[2])
    if (!(distance < nearest.distance)) continue
    const normal = new Float64Array(3)
    const at = p.map((x, i) => x + distance * v[i])
    shape.normal(at[0], at[1], at[2], normal)
    assert.ok(Math.abs(dot(normal, normal) - 1) < 1e-9)
    nearest = { distance, facing: dot(normal, v) }
  }
  return nearest
}

test('rays meet every kind of geom where those of MuJoCo do, from outside', () => {
  const data = new mujoco.api.MjData(model)
  doublesOf(data, 'qpos').set([0.3, -0.4, 0.5])
  mujoco.api.mj_forward(model, data)
  const scene = new SceneReader(physics, PARTS).read(data)
  const found = new mujoco.api.IntBuffer(1)
  const hits = new Map<number, number>()
  for (let i = 0; i < 4000; i++) {
    const angle = 2 * Math.PI * spread(i, 0)
    const o = [3 * Math.cos(angle), 3 * Math.sin(angle), 0.2 + 2.5 * spread(i, 1)]
    const target = [2 * spread(i, 2) - 0.8, 1.2 * spread(i, 3) - 0.6, 0.6 + 0.9 * spread(i, 2)]
    const toTarget = target.map((x, k) => x - o[k])
    const d = toTarget.map((x) => x / Math.hypot(...toTarget))
    // The ground is no solid: group 1 is asked for, and the floor put in group 0.
    const expected = mujoco.api.mj_ray(model, data, o, d, [0, 1, 0, 0, 0, 0], true, -1, found, null)
    const { distance, facing } = trace(scene, o, d)
    if (expected < 0) {
      assert.equal(distance, Infinity)
      continue
    }
    assert.ok(Math.abs(distance - expected) < 1e-6, `ray ${i}: ${distance} for ${expected}`)
    assert.ok(facing < 1e-9, `ray ${i}: the normal points away`)
    const geom = (found.GetView() as Int32Array)[0]
    hits.set(geom, (hits.get(geom) ?? 0) + 1)
  }
  found.delete()
  data.delete()
  assert.equal(hits.size, 6, 'every geom was hit')
  for (const [geom, count] of hits) assert.ok(count > 20, `geom ${geom} was hit ${count} times`)
})

test('what an agent drives has its colour, and the same scene gives the same bytes', () => {
  const scene = posedScene(physics, { joints: { b: 0.2 }, lift: 0 }, PARTS)
  const view = { azimuth: 60, elevation: 20 }
  const picture = draw(scene, view, 96, 54)
  assert.deepEqual(draw(scene, view, 96, 54).data, picture.data)
  const hues = hueCounts(picture)
  for (const agent of [0, 1, 2]) {
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(agentColour(agent).slice(at, at + 2), 16))
    assert.ok((hues.get(hue(r, g, b)) ?? 0) > 20, `agent ${agent} in ${JSON.stringify([...hues])}`)
  }
  const alone = hueCounts(draw(posedScene(physics, { joints: {} }, [[0, 1, 2]]), view, 96, 54))
  const second = [1, 3, 5].map((at) => Number.parseInt(agentColour(1).slice(at, at + 2), 16))
  assert.equal(alone.get(hue(second[0], second[1], second[2])) ?? 0, 0)
})

/** One of 12 hues; -1 for greys. */
function hue(r: number, g: number, b: number): number {
  const [low, high] = [Math.min(r, g, b), Math.max(r, g, b)]
  if (high - low < 60) return -1
  const sector =
    high === r ? (g - b) / (high - low) : high === g ? 2 + (b - r) / (high - low) : 4 + (r - g) / (high - low)
  return Math.round(2 * sector + 12) % 12
}

function hueCounts({ data }: Picture): Map<number, number> {
  const counts = new Map<number, number>()
  for (let i = 0; i < data.length; i += 3) {
    const h = hue(data[i], data[i + 1], data[i + 2])
    counts.set(h, (counts.get(h) ?? 0) + 1)
  }
  return counts
}

test('the lowest point of a lifted robot is that far above the ground', () => {
  const scene = posedScene(physics, { joints: { a: 0.4 }, lift: 0.05 }, PARTS)
  const ground = scene.ground!
  const down = (x: number, y: number) => trace(scene, [x, y, ground], [0, 0, 1]).distance
  const gaps = Array.from({ length: 200 * 200 }, (_, i) =>
    down(-1 + (i % 200) / 80, -0.8 + Math.floor(i / 200) / 80),
  )
  const least = Math.min(...gaps)
  assert.ok(least > 0.05 - 1e-9 && least < 0.06, `${least}`)
})

test('a picture of at most 256 colours is stored as it is', () => {
  const width = 32
  const height = 8
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) =>
    i % 3 === 0 ? i / 3 : i % 3 === 1 ? 7 : 200,
  )
  const stored = decode(encodePng({ width, height, data }, { scene: 'x' }))
  assert.equal(stored.text['scene'], 'x')
  const palette = stored.palette!
  assert.deepEqual(
    Array.from(stored.data).flatMap((entry) => palette[entry].slice(0, 3)),
    Array.from(data),
  )
})

const script = fileURLToPath(new URL('../../scripts/render.js', import.meta.url))
const render = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })

test('the command draws a model with its meshes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-render-'))
  try {
    mkdirSync(join(folder, 'meshes'))
    writeFileSync(join(folder, 'model.xml'), MODEL)
    writeFileSync(join(folder, 'meshes/wedge.obj'), WEDGE)
    const out = join(folder, 'out.png')
    const size = ['--width', '64', '--height', '36']
    const run = render(
      '--model',
      join(folder, 'model.xml'),
      '--parts',
      'a,b|c',
      '--set',
      'a=0.1',
      '--out',
      out,
      ...size,
    )
    assert.equal(run.status, 0, run.stderr)
    const { width, height } = decode(readFileSync(out))
    assert.deepEqual([width, height], [64, 36])
    const wrong: [string[], RegExp][] = [
      [['--parts', 'a|d'], /^render: --parts: d: must be one of a, b, c\n$/],
      [['--set', 'd=1'], /^render: joint d: the model has no such joint\n$/],
      [['--width', 'x'], /^render: --width x: must be a number from 1\n$/],
    ]
    for (const [args, message] of wrong) {
      const { stderr, status } = render('--model', join(folder, 'model.xml'), '--out', out, ...args)
      assert.match(stderr, message)
      assert.notEqual(status, 0)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  assert.match(render('--model', '/nowhere.xml').stderr, /^render: --model \/nowhere\.xml: no such file\n$/)
})

test('actuators are named by the joints that they drive', () => {
  assert.deepEqual(actuatorNames(mujoco, model), ['a', 'b', 'c'])
})
