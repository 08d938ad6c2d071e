// Time of a step of 20 environments: one after the other, and submitted together, alternating in one run.
//   node dist/bench/batch.js [ID ...] [--json]
import { EnvContext, makeEnvFactory, type MultiAgentEnv } from '../src/envs/index.js'
import { takeTurns } from '../src/bench/turns.js'
import { asJson, median, result, tableHead, tableRow } from '../src/bench/report.js'

const ENVS = 20
const STEPS = 20
const WARM_UP = 4
const ROUNDS = 40
const ACTION = 0.2
const TASKS = ['Swimmer-2x1', 'HalfCheetah-2x3', 'Ant-4x2'].map((name) => `mamujoco/${name}`)

/** Microseconds of CPU time a step of one environment. */
function time(run: () => void): number {
  const start = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / ENVS
}

async function measure(id: string) {
  const context = new EnvContext()
  const factory = makeEnvFactory({ id })
  const make = () => Promise.all(Array.from({ length: ENVS }, () => factory.create(context)))
  const [alone, together]: MultiAgentEnv[][] = [await make(), await make()]
  const stepAlone = () => {
    for (const env of alone) env.step()
  }
  const stepTogether = () => {
    for (const env of together) env.submit?.()
    for (const env of together) env.step()
  }
  const measureRound = () => {
    for (const envs of [alone, together]) {
      for (const [k, env] of envs.entries()) {
        env.reset(k)
        for (const action of env.actions) action.fill(ACTION)
      }
    }
    const rows = { alone: [] as number[], together: [] as number[] }
    for (let step = 0; step < STEPS; step++) {
      // Taking turns at going first.
      if (step % 2 === 0) rows.alone.push(time(stepAlone))
      rows.together.push(time(stepTogether))
      if (step % 2 === 1) rows.alone.push(time(stepAlone))
    }
    return {
      alone: median(rows.alone),
      together: median(rows.together),
      ratio: median(rows.together.map((us, step) => us / rows.alone[step])),
    }
  }
  const [times] = await takeTurns([measureRound], { rounds: ROUNDS, warmUp: WARM_UP })
  return [
    result(
      `${id} step, one after the other`,
      'us',
      times.map((round) => round.alone),
    ),
    result(
      `${id} step, submitted together`,
      'us',
      times.map((round) => round.together),
    ),
    result(
      `${id} submitted together / one after the other`,
      'x',
      times.map((round) => round.ratio),
    ),
  ]
}

const args = process.argv.slice(2)
const ids = args.filter((arg) => arg !== '--json')
const results = []
for (const id of ids.length > 0 ? ids : TASKS) results.push(...(await measure(id)))
if (args.includes('--json')) console.log(asJson(results))
else for (const line of [...tableHead, ...results.map(tableRow)]) console.log(line)
