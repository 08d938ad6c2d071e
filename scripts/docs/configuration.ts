import { algorithmNames } from '../../src/algorithms/table.js'
import { trainableAlgorithms } from '../../src/algorithms/parts.js'
import { keysOf, type Entry } from '../../src/config/about.js'
import { baseConfig } from '../../src/config/defaults.js'
import { configEntries } from '../../src/config/schema.js'
import type { TrainConfig } from '../../src/config/generated/train-config.js'
import { whyUnread } from '../../src/config/unread.js'
import { HatrpoError } from '../../src/errors.js'

type Key = Extract<Entry, { kind: 'key' }>

/** Keys of a group of the configuration, or without a name those outside of the groups. */
export function configurationTable(group: string): string {
  const entries = group === '' ? configEntries.filter(({ kind }) => kind === 'key') : entriesIn(group)
  const rows = keysOf(entries).map(
    (entry) =>
      `| ${[keyCell(entry), entry.about.text, ...valueCells(entry), readers(entry.key)].map(cell).join(' | ')} |`,
  )
  return [
    '| key | meaning | unit | range | default | source of the default | read by |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function entriesIn(group: string): readonly Entry[] {
  const found = configEntries.find(({ kind, key }) => kind === 'group' && key === group)
  if (found?.kind !== 'group')
    throw new HatrpoError(`the configuration has no group ${JSON.stringify(group)}`)
  return found.entries
}

function keyCell({ key, about }: Key): string {
  return about.flag === undefined ? code(key) : `${code(key)}, flag ${code(about.flag)}`
}

function valueCells({ about, range }: Key): string[] {
  const { unit, source } = about
  const value = about.default === undefined ? 'none (required)' : code(JSON.stringify(about.default))
  return [unit ?? '', range, value, about.default === undefined ? '' : source]
}

const code = (text: string) => `\`${text}\``
const cell = (text: string) => text.replaceAll('|', '\\|')

/** A configuration in which nothing is switched off. */
function everythingOn(algo: TrainConfig['algo']): TrainConfig {
  const { actor, critic, trustRegion, opponents } = baseConfig
  return {
    ...baseConfig,
    env: { id: '' },
    algo,
    actor: { ...actor, gruLayers: 1 },
    critic: { ...critic, gruLayers: 1 },
    trustRegion: { ...trustRegion, preconditioner: 'kfac' },
    opponents: { ...opponents, from: 'past' },
  }
}

/** The methods that read a key, or the fewer ones that do not. */
function readers(key: string): string {
  const reading = trainableAlgorithms.filter((algo) => whyUnread(key, everythingOn(algo)) === undefined)
  const others = algorithmNames.filter((algo) => !reading.includes(algo))
  if (others.length === 0) return 'all'
  return reading.length <= others.length ? reading.join(', ') : `all but ${others.join(', ')}`
}

/** The file of the type `TrainConfig`, whose members have the documentation of the schema. */
export function trainConfigFile(): string {
  return `// Made from the schema by \`npm run docs\`; not to be edited.
/* oxlint-disable max-lines -- one interface */
import type { ConfigValues } from '../schema.js'

/**
 * Configuration of a run: everything that its result depends on besides the version of the package. Settings of the
 * machine, such as the number of workers, are not part of it because they change no result.
 */
export interface TrainConfig {
${members(configEntries, 'ConfigValues', '  ')}
}
`
}

/** @param type of the object that holds them */
function members(entries: readonly Entry[], type: string, indent: string): string {
  return entries
    .map((entry) => {
      const name = entry.key.slice(entry.key.lastIndexOf('.') + 1)
      const own = `${type}['${name}']`
      if (entry.kind === 'key') return `${docs(keyLines(entry), indent)}${indent}${name}: ${own}`
      const open = entry.open ? `\n${indent}  [option: string]: ${own}[string]` : ''
      const inside = members(entry.entries, own, `${indent}  `)
      return `${docs([entry.text], indent)}${indent}${name}: {\n${inside}${open}\n${indent}}`
    })
    .join('\n')
}

function keyLines({ about, range }: Key): string[] {
  const { text, unit, source } = about
  const right = `Must be ${range}${unit === null ? '' : `; unit: ${unit}`}.`
  return about.default === undefined
    ? [text, '', right]
    : [text, '', `${right} The default is from ${source}.`, '', `@default ${JSON.stringify(about.default)}`]
}

const WIDTH = 110

/** A block comment of some paragraphs. */
function docs(paragraphs: readonly string[], indent: string): string {
  const lines = paragraphs.flatMap((paragraph) => wrap(paragraph, WIDTH - indent.length - 3))
  const [first] = lines
  if (lines.length === 1 && first.length <= WIDTH - indent.length - 7) return `${indent}/** ${first} */\n`
  return [`/**`, ...lines.map((line) => ` * ${line}`.trimEnd()), ' */']
    .map((line) => `${indent}${line}\n`)
    .join('')
}

function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1]
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
