// Whole updates (all agents and the critic) on synthetic data, beside HARL where HARL_DIR names it.
//   node dist/bench/update.js [ENV ...] [--algo NAME ...] [--rounds N] [--threads 1,2] [--json]
import { parseArgs } from 'node:util'
import { makeEnvFactory } from '../src/envs/index.js'
import { asJson, tableHead, tableRow, type Result } from '../src/bench/report.js'
import { HIDDEN, METHODS, TASKS, taskName } from '../src/bench/tasks.js'
import { benchUpdate } from '../src/bench/updates.js'
import { findHarl } from './harl/rival.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    algo: { type: 'string', multiple: true, default: [...METHODS] },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1,2' },
    json: { type: 'boolean', default: false },
  },
})
const rival = findHarl()
if (typeof rival === 'string') console.error(`HARL is left out: ${rival}`)
const results: Result[] = []
if (!values.json) for (const line of tableHead) console.log(line)
for (const env of TASKS.filter(
  ({ id }) => positionals.length === 0 || positionals.includes(taskName({ id })),
)) {
  for (const algo of values.algo) {
    const task = {
      name: taskName(env),
      spec: makeEnvFactory(env).spec,
      algo: algo as (typeof METHODS)[number],
      hidden: HIDDEN,
      batch: 4000,
    }
    const threads = values.threads.split(',').map(Number)
    for await (const found of benchUpdate(
      task,
      threads,
      Number(values.rounds),
      typeof rival === 'string' ? null : rival,
    )) {
      results.push(found)
      if (!values.json) console.log(tableRow(found))
    }
  }
}
if (values.json) console.log(asJson(results))
if (typeof rival !== 'string') await rival.close()
