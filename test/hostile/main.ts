// `npm run test:hostile [-- --minutes N --seed N]`: hostile inputs of every kind in table.ts.
import { parseArgs } from 'node:util'
import { attackWith, type Tally } from './campaign.js'
import { ATTACKS } from './table.js'

const HELP = `npm run test:hostile -- [options]
  --minutes N    time of the campaign, divided among the kinds (default 10)
  --seed N       of all inputs (default 1)
  --kind NAME    one kind alone: ${ATTACKS.map(({ name }) => name).join(', ')}
  --input N      one input of that kind alone
  --list         how the inputs of each kind are made, and what counts as a fault`

function number(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  process.stderr.write(`--${name} is ${JSON.stringify(text)}: it must be a number, 0 or more\n`)
  process.exit(2)
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string' },
    input: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const [minutes, seed] = [number('minutes', values.minutes), number('seed', values.seed)]
const chosen = ATTACKS.filter(({ name }) => values.kind === undefined || name === values.kind)

if (values.help) console.log(HELP)
else if (values.list)
  for (const { name, input, fault } of ATTACKS) console.log(`${name}\n  ${input}\n  fault: ${fault}`)
else if (chosen.length === 0) {
  process.stderr.write(
    `--kind is ${values.kind}: it must be one of ${ATTACKS.map(({ name }) => name).join(', ')}\n`,
  )
  process.exitCode = 2
} else await campaign()

async function campaign(): Promise<void> {
  const shares = chosen.reduce((sum, { share }) => sum + share, 0)
  const tallies: Tally[] = []
  for (const attack of chosen) {
    const missing = attack.missing?.() ?? false
    if (missing !== false) {
      console.log(`${attack.name}: left out, ${missing}`)
      continue
    }
    const only = values.input === undefined ? undefined : number('input', values.input)
    const time = (60_000 * minutes * attack.share) / shares
    const range = { from: only ?? 0, to: only === undefined ? Infinity : only + 1, time }
    const tally = await attackWith(attack, seed, range)
    tallies.push(tally)
    console.log(`${tally.kind}: ${tally.inputs} inputs, ${tally.faults.length} faults`)
    for (const { input, fault } of tally.faults)
      console.log(
        `  ${fault}\n  npm run test:hostile -- --kind ${tally.kind} --seed ${seed} --input ${input}`,
      )
  }
  console.log(`\n${table(tallies)}`)
  if (tallies.some(({ faults }) => faults.length > 0)) process.exitCode = 1
}

/** The counts as a table in Markdown. */
function table(tallies: readonly Tally[]): string {
  const sum = (count: (tally: Tally) => number) => tallies.reduce((total, tally) => total + count(tally), 0)
  const row = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  const columns = [
    (tally: Tally) => tally.inputs,
    (tally: Tally) => tally.refused,
    (tally: Tally) => tally.harmless,
    (tally: Tally) => tally.faults.length,
    (tally: Tally) => Math.round(tally.seconds),
  ]
  return [
    row('kind', 'inputs', 'refused', 'harmless', 'faults', 'seconds'),
    row('---', ...columns.map(() => '---:')),
    ...tallies.map((tally) => row(tally.kind, ...columns.map((column) => column(tally)))),
    row('all', ...columns.map((column) => sum(column))),
  ].join('\n')
}
