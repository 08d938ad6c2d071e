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
import type { Scene, Shape, Solid } from '../../src/envs/scene.js'
import { drawCaption } from '../../src/render/caption.js'
import { agentColour } from '../../src/render/colours.js'
import { frameEpisodes } from '../../src/render/framing.js'
import { GIF_COLOURS, GifWriter } from '../../src/render/gif.js'
import { encodePng, encodeTrueColourPng } from '../../src/render/png.js'
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

test('rays from outside hit every kind of geom at the same point as those of MuJoCo', () => {
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
    // The ground is not a solid: only group 1 is requested, and the floor is in group 0.
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

test('bodies have the colour of their agent, and the same scene gives the same bytes', () => {
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

test('a picture of at most 256 colours is stored without loss', () => {
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

test('actuators are named by their joints, and a pose with unknown joints is refused', () => {
  assert.deepEqual(actuatorNames(mujoco, model), ['a', 'b', 'c'])
  assert.throws(
    () => posedScene(physics, { joints: { d: 1 } }, PARTS),
    /^HatrpoError: joint d: the model has no such joint$/,
  )
})

/** Pictures of a GIF with one palette, as positions in it, and their durations: an independent reading of the format. */
function readGif(bytes: Uint8Array): { width: number; frames: Uint8Array[]; durations: number[] } {
  const word = (at: number) => bytes[at] | (bytes[at + 1] << 8)
  const [width, height] = [word(6), word(8)]
  const frames: Uint8Array[] = []
  const durations: number[] = []
  const screen = new Uint8Array(width * height)
  let at = 13 + 3 * 256
  const blocks = (): number[] => {
    const content: number[] = []
    for (; bytes[at] !== 0; at += bytes[at] + 1) content.push(...bytes.subarray(at + 1, at + 1 + bytes[at]))
    at++
    return content
  }
  let transparent = -1
  while (bytes[at] !== 0x3b) {
    if (bytes[at] === 0x21) {
      const isControl = bytes[at + 1] === 0xf9
      if (isControl) durations.push(word(at + 4))
      if (isControl) transparent = (bytes[at + 3] & 1) === 1 ? bytes[at + 6] : -1
      at += 2
      blocks()
      continue
    }
    assert.equal(bytes[at], 0x2c)
    const [left, top, w, h] = [1, 3, 5, 7].map((k) => word(at + k))
    const depth = bytes[at + 10]
    at += 11
    const pixels = unpack(blocks(), depth)
    assert.equal(pixels.length, w * h)
    pixels.forEach((pixel, i) => {
      if (pixel !== transparent) screen[(top + Math.floor(i / w)) * width + left + (i % w)] = pixel
    })
    frames.push(screen.slice())
  }
  return { width, frames, durations }
}

/** The variant of LZW that GIF has. */
function unpack(content: readonly number[], depth: number): number[] {
  const clear = 1 << depth
  const pixels: number[] = []
  let table: number[][] = []
  let length = depth + 1
  let last: number[] | undefined
  let bit = 0
  for (;;) {
    let code = 0
    for (let k = 0; k < length; k++, bit++) code |= ((content[bit >> 3] >> (bit & 7)) & 1) << k
    if (code === clear + 1) return pixels
    if (code === clear) {
      table = Array.from({ length: clear + 2 }, (_, i) => [i])
      length = depth + 1
      last = undefined
      continue
    }
    const known: number[] = table[code] ?? [...last!, last![0]]
    if (last !== undefined && table.length < 4096) table.push([...last, known[0]])
    if (table.length === 1 << length && length < 12) length++
    pixels.push(...known)
    last = known
  }
}

test('a GIF contains its pictures', () => {
  const [width, height] = [150, 90]
  const palette = Array.from({ length: GIF_COLOURS }, (_, i) => [i, 255 - i, 7] as const)
  // Noise fills the table of codes several times; the others differ from it in a part, in one pixel, and in nothing.
  const noise = Uint8Array.from({ length: width * height }, (_, i) =>
    Math.floor(spread(i, 0) * spread(i, 1) * GIF_COLOURS),
  )
  const part = noise.map((pixel, i) => (i > 3000 && i < 4000 && i % 7 < 4 ? 5 : pixel))
  const dot = part.map((pixel, i) => (i === 77 ? (pixel + 1) % 100 : pixel))
  const film = [noise, part, dot, dot.slice(), new Uint8Array(width * height)]
  const writer = new GifWriter(width, height, palette)
  film.forEach((pixels, i) => writer.add(pixels, 4 + i))
  const bytes = writer.finish()
  const read = readGif(bytes)
  assert.equal(read.width, width)
  assert.deepEqual(read.durations, [4, 5, 6, 7, 8])
  assert.deepEqual(read.frames, film)
  assert.deepEqual(Array.from(bytes.subarray(13, 13 + 3 * GIF_COLOURS)), palette.flat())
})

test('a PNG of all colours is stored without loss', () => {
  const [width, height] = [40, 30]
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => Math.floor(256 * spread(i, i % 4)))
  const stored = decode(encodeTrueColourPng({ width, height, data }))
  assert.deepEqual([stored.width, stored.height, stored.channels], [width, height, 3])
  assert.deepEqual(Uint8Array.from(stored.data), data)
})

test('text has dark strokes in the right places, and a box for unknown letters', () => {
  const [width, height] = [120, 40]
  const ink = (title: string) => {
    const data = new Uint8Array(3 * width * height).fill(255)
    drawCaption({ width, height, data }, { title, lines: [], source: '', agents: [] })
    return Array.from({ length: width * height }, (_, i) => data[3 * i]).flatMap((red, i) =>
      red < 120 ? [{ x: i % width, y: Math.floor(i / width) }] : [],
    )
  }
  const bar = ink('I')
  assert.ok(bar.length > 5 && new Set(bar.map(({ x }) => x)).size <= 2, 'I is upright')
  const rule = ink('-')
  assert.ok(rule.length > 2 && new Set(rule.map(({ y }) => y)).size <= 2, '- is level')
  assert.deepEqual(ink('\u{1F600}'), ink('\u4e2d'))
  assert.equal(ink(' ').length, 0)
  for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+')
    assert.notDeepEqual(ink(letter), ink('\u4e2d'), letter)
})

/** A ball on the ground, one of agent 0, and a thing that rests. */
function rolling(x: number): Scene {
  const at = (name: string, role: Solid['role'], px: number): Solid => ({
    name,
    role,
    shape: { kind: 'capsule', radius: 0.1, half: 0 },
    position: [px, 0, 0.1],
    rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    agents: role === 'robot' ? [0] : [],
  })
  return { solids: [at('ball', 'robot', x), at('post', 'thing', 0.3)], ground: 0 }
}

test('the camera follows a robot that moves far, smoothly, and otherwise does not move', () => {
  const view = { azimuth: 90, elevation: 20 }
  const eyes = (scenes: readonly Scene[]) =>
    frameEpisodes([scenes], view, 16 / 9, 0.04)[0].map(({ camera }) => camera.eye)
  const far = eyes(Array.from({ length: 60 }, (_, i) => rolling(0.05 * i)))
  far.slice(1).forEach((eye, i) => {
    assert.ok(Math.abs(eye[0] - far[i][0] - 0.05) < 1e-9, `step ${i}`)
    assert.deepEqual(eye.slice(1), far[i].slice(1))
  })
  // Steps of different length are evened out.
  const jerky = eyes(Array.from({ length: 60 }, (_, i) => rolling(0.4 * Math.floor(i / 8))))
  const steps = jerky.slice(20, 40).map((eye, i) => eye[0] - jerky[19 + i][0])
  assert.ok(Math.max(...steps) < 0.1, `${Math.max(...steps)}`)
  const near = eyes(Array.from({ length: 60 }, (_, i) => rolling(0.05 * Math.sin(i))))
  for (const eye of near) assert.deepEqual(eye, near[0])
})

test('shadows fall away from the sun, and a mesh of boxes is drawn like the boxes', () => {
  const size = 0.3
  const corners = [-size, size].flatMap((x) =>
    [-size, size].flatMap((y) => [-size, size].map((z) => [x, y, z])),
  )
  const quads = [
    [0, 1, 3, 2],
    [4, 6, 7, 5],
    [0, 4, 5, 1],
    [2, 3, 7, 6],
    [0, 2, 6, 4],
    [1, 5, 7, 3],
  ]
  const mesh = {
    kind: 'mesh',
    vertices: Float32Array.from(corners.flat()),
    faces: Int32Array.from(quads.flatMap(([a, b, c, d]) => [a, b, c, a, c, d])),
  } as const
  const scene = (shape: Shape): Scene => ({
    solids: [
      {
        name: 'block',
        role: 'robot',
        shape,
        position: [0, 0, 0.3],
        rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
        agents: [0],
      },
    ],
    ground: 0,
  })
  const above = { azimuth: 90, elevation: 90, margin: 0.3 }
  const box = draw(scene({ kind: 'box', half: [size, size, size] }), above, 96, 54)
  const meshed = draw(scene(mesh), above, 96, 54)
  const off = box.data.reduce((sum, byte, i) => sum + Math.abs(byte - meshed.data[i]), 0) / box.data.length
  assert.ok(off < 1, `${off}`)
  // The sun is at -x, -y: the shadow is at +x, +y, to the upper right of a picture whose upper edge is at +y.
  const brightness = (x: number, y: number) => box.data[3 * (y * 96 + x)]
  assert.ok(brightness(61, 20) < brightness(34, 33) - 40, `${brightness(61, 20)} ${brightness(34, 33)}`)
})
