import { HatrpoError } from '../../src/errors.js'
import { drivesTable, gallery, idsTable, sizesTable, taskTable } from './tables.js'

/** What may stand between the marks `<!-- generated: NAME [FAMILY] -->` and `<!-- end -->` of a page. */
const BLOCKS: Readonly<Record<string, (family: string) => string>> = {
  drives: drivesTable,
  sizes: sizesTable,
  task: taskTable,
  gallery,
  ids: idsTable,
}

/** A page with what is generated made anew. @throws HatrpoError for a mark without an end, or of no known block */
export function regenerate(page: string, path: string): string {
  const marks = [...page.matchAll(/<!-- generated: (\w+)(?: (\w+))? -->/g)]
  const ends = page.match(/<!-- end -->/g)?.length ?? 0
  if (marks.length !== ends) {
    throw new HatrpoError(`${path}: ${marks.length} generated blocks begin and ${ends} end`)
  }
  return page.replace(
    /<!-- generated: (\w+)(?: (\w+))? -->\n.*?<!-- end -->/gs,
    (_, name: string, family = '') => {
      if (!Object.hasOwn(BLOCKS, name)) {
        throw new HatrpoError(`${path}: generated: ${name}: must be ${Object.keys(BLOCKS).join(', ')}`)
      }
      const mark = `<!-- generated: ${[name, family].filter(Boolean).join(' ')} -->`
      return `${mark}\n\n${BLOCKS[name](family)}\n\n<!-- end -->`
    },
  )
}
