// Steps a second of a Python environment over the bridge, by environments in a message, against a bare loop in Python:
// the same environment, turn by turn, in one run.
// node dist/bench/pettingzoo.js
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { EnvContext, loadEnvFactory, RUNNING, type MultiAgentEnv } from '../src/envs/index.js'

const ROUNDS = 9
const STEPS = 2000
const BATCHES = [1, 4, 10, 20]
const file = fileURLToPath(new URL('../../bench/particles.py', import.meta.url))

/** Steps a second of several environments that step together. */
function overBridge(envs: readonly MultiAgentEnv[]): number {
  for (const [k, env] of envs.entries()) env.reset(k)
  const begun = performance.now()
  for (let step = 0; step < STEPS; step += envs.length) {
    for (const env of envs) {
      for (const action of env.actions) action.set([0.5, -0.5])
      env.submit!()
    }
    for (const env of envs) if (env.step() !== RUNNING) env.reset(step)
  }
  return (STEPS * 1000) / (performance.now() - begun)
}

const python = spawn('python3', [file], { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface({ input: python.stdout })
const bareLoop = async () => {
  python.stdin.write(`${STEPS}\n`)
  const [line] = (await once(lines, 'line')) as [string]
  return Number(line)
}

const factory = await loadEnvFactory({ id: `pettingzoo:${file}:parallel_env` })
const context = new EnvContext()
const envs: MultiAgentEnv[] = []
while (envs.length < Math.max(...BATCHES)) envs.push(await factory.create(context))

const rates = new Map<string, number[]>([['bare loop in Python', []], ...BATCHES.map(named)])
function named(count: number): [string, number[]] {
  return [`bridge, ${count} in a message`, []]
}
for (let round = 0; round < ROUNDS; round++) {
  rates.get('bare loop in Python')!.push(await bareLoop())
  for (const count of BATCHES) rates.get(named(count)[0])!.push(overBridge(envs.slice(0, count)))
}
python.stdin.end()
for (const env of envs) env.dispose?.()

// On a busy machine the quickest rounds are the ones that nothing else disturbed.
const best = Math.max(...rates.get('bare loop in Python')!)
for (const [name, found] of rates) {
  const sorted = found.sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]
  const share = (sorted.at(-1)! / best).toFixed(2)
  console.log(
    `${name.padEnd(26)} steps/s  min ${sorted[0].toFixed(0)}  median ${median.toFixed(0)}  max ${sorted.at(-1)!.toFixed(0)}  ${share} of the bare loop (quickest rounds)`,
  )
}
