import type { EnvContext } from '../../src/envs/context.js'
import { HatrpoError } from '../../src/errors.js'
import { configurationTable } from './configuration.js'
import { particlesTable } from './particles.js'
import { presetTable } from './presets.js'
import { drivesTable, gallery, idsTable, sizesTable, taskTable } from './tables.js'

type MakeBlock = (family: string, context: EnvContext) => string | Promise<string>

/** Generators of the text between the marks `<!-- generated: NAME [FAMILY] -->` and `<!-- end -->` of a page. */
const BLOCKS: Readonly<Record<string, MakeBlock>> = {
  drives: drivesTable,
  sizes: sizesTable,
  task: taskTable,
  gallery,
  ids: idsTable,
  particles: particlesTable,
  preset: presetTable,
  configuration: configurationTable,
}

const BLOCK = /<!-- generated: (\w+)(?: ([\w-]+))? -->\n.*?<!-- end -->/gs

/** A page with its generated blocks updated. @throws HatrpoError for a mark without an end, or of an unknown block */
export async function regenerate(page: string, path: string, context: EnvContext): Promise<string> {
  const begins = page.match(/<!-- generated: /g)?.length ?? 0
  const blocks = [...page.matchAll(BLOCK)]
  if (begins !== blocks.length) {
    throw new HatrpoError(`${path}: ${begins} generated blocks begin, ${blocks.length} end`)
  }
  let made = page
  for (const [block, name, family = ''] of blocks) {
    if (!Object.hasOwn(BLOCKS, name)) {
      throw new HatrpoError(`${path}: generated: ${name}: must be ${Object.keys(BLOCKS).join(', ')}`)
    }
    const mark = `<!-- generated: ${[name, family].filter(Boolean).join(' ')} -->`
    const text = await BLOCKS[name](family, context)
    made = made.replace(block, () => `${mark}\n\n${text}\n\n<!-- end -->`)
  }
  return made
}
