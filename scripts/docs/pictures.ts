import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode } from 'fast-png'
import type { EnvContext } from '../../src/envs/context.js'
import type { Scene, View } from '../../src/envs/scene.js'
import { AGENT_COLOURS, agentColour } from '../../src/render/colours.js'
import { encodePng } from '../../src/render/png.js'
import { draw } from '../../src/render/trace.js'
import { dealings, divisionsOf, FAMILIES, taskOf } from './drives.js'
import { posedScene } from './pose.js'
import { POSES } from './poses.js'

/** One picture of the documentation. */
export interface PictureFile {
  /** Its name in the folder of pictures. */
  readonly file: string
  readonly family: string
  readonly division: string
  /** Per agent: its actuators. */
  readonly parts: readonly (readonly number[])[]
  readonly width: number
  readonly height: number
}

/** Divisions whose picture is at the top of a family's page, where that is not the first. */
const TOP: Readonly<Record<string, string>> = { Ant: '4x2' }
const LARGE = { width: 960, height: 540 }
const SMALL = { width: 560, height: 315 }
/** Most bytes of a picture. */
const LARGEST_FILE = 60_000

export function topDivision(family: string): string {
  return TOP[family] ?? divisionsOf(family)[0]
}

/** Colour of each actuator, independent of the order in which agents use them. */
function colouring(parts: readonly (readonly number[])[]): string {
  return JSON.stringify(parts.map((actuators) => actuators.toSorted((a, b) => a - b)))
}

/** All pictures: one for each different colouring of each robot. */
export function pictureFiles(): PictureFile[] {
  return FAMILIES.flatMap((family) => {
    const files = new Map<string, PictureFile>()
    for (const division of divisionsOf(family)) {
      for (const { partitions, parts } of dealings(family, division)) {
        const key = colouring(parts)
        if (files.has(key)) continue
        const first = partitions[0] === 'harl'
        const size = first && division === topDivision(family) ? LARGE : SMALL
        const file = `${family}-${division}${first ? '' : `-${partitions[0]}`}.png`
        files.set(key, { file, family, division, parts, ...size })
      }
    }
    return [...files.values()]
  })
}

/** The picture that shows who drives what. */
export function pictureOf(family: string, parts: readonly (readonly number[])[]): string {
  const wanted = colouring(parts)
  return pictureFiles().find((p) => p.family === family && colouring(p.parts) === wanted)!.file
}

/** The small square of an agent in tables. */
export function agentMark(agent: number): { file: string; svg: string } {
  const square = `<rect x="1" y="1" width="14" height="14" rx="4" fill="${agentColour(agent)}"/>`
  return {
    file: `agent-${agent}.svg`,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">${square}</svg>\n`,
  }
}

async function sceneOf(context: EnvContext, { family, division, parts }: PictureFile): Promise<Scene> {
  const model = await context.model(taskOf(family, division).xml)
  return posedScene(model, POSES[family], parts)
}

/** Tells scenes apart. Numbers count to nine digits, so that it does not depend on how a machine rounds a sine. */
function digest(scene: Scene, view: View, { width, height }: PictureFile): string {
  const rounded = JSON.stringify({ scene, view, width, height }, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toFixed(9)) + 0 : value,
  )
  return createHash('sha256').update(rounded).digest('hex')
}

const marks = Array.from({ length: AGENT_COLOURS }, (_, agent) => agentMark(agent))

/** Draws the pictures of families into a folder and removes all others. @param said called for each picture */
export async function drawPictures(
  folder: string,
  context: EnvContext,
  families: readonly string[],
  said: (line: string) => void,
): Promise<void> {
  const files = pictureFiles()
  const kept = new Set([...files, ...marks].map(({ file }) => file))
  for (const file of readdirSync(folder)) if (!kept.has(file)) rmSync(join(folder, file))
  for (const { file, svg } of marks) writeFileSync(join(folder, file), svg)
  for (const picture of files.filter(({ family }) => families.includes(family))) {
    const scene = await sceneOf(context, picture)
    const { view } = POSES[picture.family]
    const text = { scene: digest(scene, view, picture) }
    const bytes = encodePng(draw(scene, view, picture.width, picture.height), text)
    writeFileSync(join(folder, picture.file), bytes)
    said(`${picture.file}: ${picture.width} x ${picture.height}, ${bytes.length} bytes`)
  }
}

/** Faults of the pictures in a folder: missing, too large, of another scene, or not ours. */
export async function pictureFaults(folder: string, context: EnvContext): Promise<string[]> {
  const files = pictureFiles()
  const faults: string[] = []
  const known = new Set([...files, ...marks].map(({ file }) => file))
  for (const file of readdirSync(folder)) if (!known.has(file)) faults.push(`${file} belongs to no page`)
  for (const { file, svg } of marks) {
    const path = join(folder, file)
    if (!existsSync(path) || readFileSync(path, 'utf8') !== svg)
      faults.push(`${file} is not the agent's mark`)
  }
  for (const picture of files) {
    const path = join(folder, picture.file)
    if (!existsSync(path)) {
      faults.push(`${picture.file} is missing`)
      continue
    }
    const { text, width, height } = decode(readFileSync(path))
    const wanted = digest(await sceneOf(context, picture), POSES[picture.family].view, picture)
    if (text['scene'] !== wanted || width !== picture.width || height !== picture.height) {
      faults.push(`${picture.file} shows another scene than the model, its pose and its division give`)
    }
    if (statSync(path).size > LARGEST_FILE)
      faults.push(`${picture.file} is larger than ${LARGEST_FILE} bytes`)
  }
  return faults
}
