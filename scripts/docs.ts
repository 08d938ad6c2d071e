// Generates parts of the documentation: the tables in docs/envs, docs/presets.md and docs/configuration.md, the pictures in
// docs/envs, and the type of configurations.
// `npm run docs` makes all of them, `npm run docs -- Ant Hopper` all tables and the pictures of these families, `--tables`
// only the tables. `--check` changes nothing and lists outdated parts.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { EnvContext } from '../src/envs/context.js'
import { regenerate } from './docs/blocks.js'
import { trainConfigFile } from './docs/configuration.js'
import { FAMILIES } from './docs/drives.js'
import { drawPictures, pictureFaults } from './docs/pictures.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'docs/envs')
const pictures = join(folder, 'img')
const pages = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .map((name) => join(folder, name))
  .concat(['presets.md', 'configuration.md'].map((name) => join(root, 'docs', name)))

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
  replace(path, page, await regenerate(page, relative(root, path), context), 'has tables that are')
}
const types = join(root, 'src/config/generated/train-config.ts')
replace(types, readFileSync(types, 'utf8'), trainConfigFile(), 'is')

/** Writes a file that has changed, or notes it as a fault. @param how it is out of date */
function replace(path: string, old: string, made: string, how: string): void {
  if (made === old) return
  if (flags.check === true) faults.push(`${relative(root, path)} ${how} out of date`)
  else writeFileSync(path, made)
}

if (flags.check === true) faults.push(...(await pictureFaults(pictures, context)))
else if (flags.tables !== true) await drawPictures(pictures, context, families, (line) => console.log(line))

for (const fault of faults) console.error(`docs: ${fault}: npm run docs`)
process.exitCode = faults.length > 0 ? 1 : 0
