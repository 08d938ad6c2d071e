// Makes what is generated of the documentation: the tables in docs/envs and docs/presets.md, and the pictures in docs/envs.
// `npm run docs` makes all of it, `npm run docs -- Ant Hopper` all tables and the pictures of these families, `--tables`
// the tables alone; `--check` changes nothing and says what is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { EnvContext } from '../src/envs/context.js'
import { regenerate } from './docs/blocks.js'
import { FAMILIES } from './docs/drives.js'
import { drawPictures, pictureFaults } from './docs/pictures.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'docs/envs')
const pictures = join(folder, 'img')
const pages = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .map((name) => join(folder, name))
  .concat(join(root, 'docs/presets.md'))

const { values: flags, positionals } = parseArgs({
  options: { check: { type: 'boolean' }, tables: { type: 'boolean' } },
  allowPositionals: true,
})
const families = positionals.length > 0 ? positionals : FAMILIES
const unknown = families.filter((family) => !FAMILIES.includes(family))
if (unknown.length > 0) {
  console.error(`docs: family ${unknown.join(', ')}: must be one of ${FAMILIES.join(', ')}`)
  process.exit(2)
}
const context = new EnvContext()
const faults: string[] = []
for (const path of pages) {
  const page = readFileSync(path, 'utf8')
  const made = await regenerate(page, relative(root, path), context)
  if (made === page) continue
  if (flags.check === true) faults.push(`${relative(root, path)} has tables that are out of date`)
  else writeFileSync(path, made)
}
if (flags.check === true) faults.push(...(await pictureFaults(pictures, context)))
else if (flags.tables !== true) await drawPictures(pictures, context, families, (line) => console.log(line))

for (const fault of faults) console.error(`docs: ${fault}: npm run docs`)
process.exitCode = faults.length > 0 ? 1 : 0
