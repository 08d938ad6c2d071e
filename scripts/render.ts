// Draws any MuJoCo model, coloured by who drives what:
//   npm run render -- --model robot.xml --parts 'hip,knee|ankle' --out robot.png
// Agents are separated by |, their actuators (by name, or by the joint they drive) by commas.
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { MjModel } from '@mujoco/mujoco'
import { HatrpoError, usageError } from '../src/errors.js'
import { loadMujoco, type Mujoco } from '../src/envs/mujoco/load.js'
import { actuatorNames } from '../src/envs/mujoco/scene.js'
import { PhysicsModel } from '../src/envs/mujoco/world.js'
import { posedScene } from './docs/pose.js'
import { encodePng } from '../src/render/png.js'
import { draw } from '../src/render/trace.js'

/** Kinds of files of a model. */
const PARTS_OF_MODELS = /\.(xml|stl|obj|msh|png|txt)$/i
/** The model's folder in MuJoCo's file system. */
const MOUNTED = '/model'

/** Reads a model with the meshes and documents in its folder and below it. */
function loadModel(mujoco: Mujoco, path: string): MjModel {
  if (!existsSync(path)) throw usageError(`--model ${path}: no such file`)
  const folder = dirname(resolve(path))
  const { FS } = mujoco.api as unknown as {
    FS: { mkdirTree(path: string): void; writeFile(path: string, data: Uint8Array): void }
  }
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name)
    if (!PARTS_OF_MODELS.test(name) || !statSync(file).isFile()) continue
    const target = `${MOUNTED}/${relative(folder, file).replaceAll('\\', '/')}`
    FS.mkdirTree(dirname(target))
    FS.writeFile(target, readFileSync(file))
  }
  try {
    return mujoco.api.MjModel.from_xml_path(`${MOUNTED}/${basename(path)}`)
  } catch (cause) {
    throw new HatrpoError(`--model ${path}: ${String(cause).replace(/\s+/g, ' ').trim()}`, { cause })
  }
}

/** Per agent: its actuators. Without `text`, one agent drives all. */
function readParts(text: string | undefined, names: readonly string[]): number[][] {
  if (text === undefined) return [names.map((_, i) => i)]
  return text.split('|').map((agent) =>
    agent.split(',').map((name) => {
      const actuator = names.indexOf(name.trim())
      if (actuator < 0) throw usageError(`--parts: ${name.trim()}: must be one of ${names.join(', ')}`)
      return actuator
    }),
  )
}

function readNumber(name: string, text: string, low: number): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= low && value < Infinity)) {
    throw usageError(`--${name} ${text}: must be a number from ${low}`)
  }
  return value
}

/** `joint=value` pairs. */
function readPose(pairs: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [joint, value = ''] = pair.split('=')
      return [joint, readNumber(`set ${joint}`, value, -Infinity)]
    }),
  )
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      out: { type: 'string', default: 'model.png' },
      parts: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      lift: { type: 'string' },
      azimuth: { type: 'string', default: '65' },
      elevation: { type: 'string', default: '20' },
      width: { type: 'string', default: '960' },
      height: { type: 'string', default: '540' },
    },
  })
  if (values.model === undefined) throw usageError('--model: must name an MJCF file')
  const view = {
    azimuth: readNumber('azimuth', values.azimuth, -360),
    elevation: readNumber('elevation', values.elevation, 0),
  }
  const [width, height] = [readNumber('width', values.width, 1), readNumber('height', values.height, 1)]
  const mujoco = await loadMujoco()
  const model = loadModel(mujoco, values.model)
  const parts = readParts(values.parts, actuatorNames(mujoco, model))
  const lift = values.lift === undefined ? {} : { lift: readNumber('lift', values.lift, 0) }
  const physics = new PhysicsModel(mujoco, model)
  const scene = posedScene(physics, { joints: readPose(values.set), ...lift }, parts)
  const bytes = encodePng(draw(scene, view, Math.round(width), Math.round(height)))
  writeFileSync(values.out, bytes)
  console.log(`${values.out}: ${width} x ${height}, ${bytes.length} bytes`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof HatrpoError) && !(error instanceof TypeError)) throw error
  console.error(`render: ${error.message}`)
  process.exitCode = error instanceof HatrpoError ? error.exitCode : 2
}
