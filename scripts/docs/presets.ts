import { MARLLIB, PAPER, type PublishedSettings, type PublishedValue } from '../../src/config/published.js'

const PRESETS: Readonly<Record<string, PublishedSettings>> = { paper: PAPER, marllib: MARLLIB }

/** Values of a preset with their sources: of all methods, then of some. */
export function presetTable(name: string): string {
  const { common, rules, inTurn, tasks } = PRESETS[name]
  const rows = [
    ...lines(common, 'all'),
    ...Object.entries(rules).flatMap(([rule, values]) => lines(values, METHODS[rule])),
    ...Object.entries(inTurn).flatMap(([rule, values]) => lines(values, `${METHODS[rule]}, agents in turn`)),
    ...tasks.flatMap(({ rule, id, values }) => lines(values, `${METHODS[rule]}, \`${task(id)}\``)),
  ]
  return ['| setting | value | methods | source |', '|---|---|---|---|', ...rows].join('\n')
}

/** Names of the update rules' methods in the text. */
const METHODS: Readonly<Record<string, string>> = { trustRegion: 'trust region', clipped: 'clipped' }

/** Beginning of the ids that a pattern matches. */
function task(id: RegExp): string {
  return id.source.replace('^', '').replaceAll('\\/', '/')
}

function lines(values: readonly PublishedValue[], methods: string): string[] {
  return values.map(
    ({ key, value, source }) => `| \`${key}\` | \`${JSON.stringify(value)}\` | ${methods} | ${source} |`,
  )
}
