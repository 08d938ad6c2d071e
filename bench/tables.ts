// Tables in Markdown of what `npm run bench -- --json` printed: one row per figure, or with --updates one row per task and
// method and one column per number of threads.
//   npm run --silent bench -- --json > results.json; node dist/bench/tables.js results.json [--updates] [WORD ...]
// With words: figures whose name contains one of them.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { show, type Result } from '../src/bench/report.js'

interface Printed {
  readonly host: { readonly cpu: string; readonly node: string }
  readonly results: readonly Result[]
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

function figures(results: readonly Result[]): string[] {
  const lines = results.map(({ name, unit, median, min, max }) => {
    const range = min === max ? '' : `${show(min)} to ${show(max)}`
    return row([name, `${show(median)} ${unit}`, range])
  })
  return [row(['figure', 'median', 'least to greatest']), row(['---', '---', '---']), ...lines]
}

/** Milliseconds of updates and ratios, `1 / 2 threads`. */
function updates(results: readonly Result[]): string[] {
  const named = new Map(results.map((result) => [result.name, result]))
  const at = (name: string) => {
    const found = named.get(name)
    return found === undefined ? '-' : show(found.median)
  }
  const lines: string[] = []
  for (const { name } of results) {
    const [, title, base] = /^((.* update)(?:, solver \w+)?), 1 thread$/.exec(name) ?? []
    if (title === undefined || title.includes(' of ')) continue
    const others = [...named.keys()].filter((other) => other.startsWith(`${title} against `))
    const rival = others.map((other) => /against (.*), 1 thread$/.exec(other)?.[1]).find(Boolean) ?? ''
    const pair = (figure: string, suffix = '') =>
      [', 1 thread', ', 2 threads'].map((threads) => at(`${figure}${threads}${suffix}`)).join(' / ')
    const against = `${title} against ${rival}`
    const cells = [pair(title), pair(`${base} of ${rival}`), pair(against), pair(against, ', processor')]
    lines.push(row([title.replace(' update', ''), ...cells]))
  }
  const titles = ['update, 1 / 2 threads', 'ms', 'other, ms', 'speed, wall', 'speed, processor']
  return [row(titles), row(titles.map(() => '---')), ...lines]
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { updates: { type: 'boolean', default: false } },
})
const [file, ...words] = positionals
const { host, results } = JSON.parse(readFileSync(file, 'utf8')) as Printed
const chosen = results.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
console.log(
  [`${host.cpu}, Node ${host.node}`, '', ...(values.updates ? updates : figures)(chosen)].join('\n'),
)
