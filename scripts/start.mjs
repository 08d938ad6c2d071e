// `npm start`: a first run. Trains the two halves of a cheetah for about two minutes, evaluates and exports their
// policies, and prints the next commands to try. A repeated call continues a stopped run.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ENVIRONMENT = 'mamujoco/HalfCheetah-2x3'
/** About two minutes on two cores. */
const STEPS = 440_000

const root = fileURLToPath(new URL('..', import.meta.url))
const command = `${root}dist/lib/cli/main.js`

/** Runs a Node script with its output on ours; a failure or an interruption ends this script the same way. */
function run(script, args) {
  const { status, signal, error } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  if (error) throw error
  if (status === 0) return
  if (status === 130 || signal === 'SIGINT') {
    console.error('\nStopped. `npm start` continues from there.')
    process.exit(130)
  }
  process.exit(status ?? 1)
}

function hatrpo(...args) {
  console.error(`\n> npx hatrpo ${args.join(' ')}`)
  run(command, args)
}

/** The first of runs/first, runs/first-2, ... whose policies are not exported yet: the last thing that is done here. */
function chooseRun() {
  for (let n = 1; ; n++) {
    const name = n === 1 ? 'runs/first' : `runs/first-${n}`
    const folder = `${root}${name}`
    if (existsSync(`${folder}/policies/bundle.json`)) continue
    return { name, resume: existsSync(`${folder}/config.json`) }
  }
}

// Ctrl-C reaches the command too, which writes a checkpoint and ends with 130; this script waits for that.
process.on('SIGINT', () => {})

if (!existsSync(command)) run(`${root}scripts/build.mjs`, [])

const { name, resume } = chooseRun()
if (resume) hatrpo('train', '--resume', name)
else hatrpo('train', '--env', ENVIRONMENT, '--algo', 'hatrpo', '--steps', String(STEPS), '--out', name)
hatrpo('eval', name)
hatrpo('export', name, '--out', `${name}/policies`)

/** Commands to try next, and their effects. */
const next = [
  ['npx hatrpo watch runs', 'web page with the learning curves, live during a run'],
  [`npx hatrpo train --resume ${name} --steps 2000000`, 'continue this run'],
  [`npx hatrpo train --env ${ENVIRONMENT} --algo happo --preset harl --steps 2000000`, 'another method'],
  ['npx hatrpo list envs', 'other environments'],
  [`npx hatrpo eval ${name}/policies --episodes 10`, 'run the exported policies'],
  ['npx hatrpo train --help', 'all options'],
]

console.log(`
The two halves of the cheetah learned together for ${STEPS.toLocaleString('en')} steps.
  ${name}/metrics.jsonl    one line per iteration, beside the same for TensorBoard
  ${name}/policies/        one .wasm file per agent, for any WebAssembly host

Next:
${next.map(([command, effect]) => `  ${command}   # ${effect}`).join('\n')}`)
