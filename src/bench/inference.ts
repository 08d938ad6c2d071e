import { actorSpecs } from '../algorithms/specs.js'
import { baseConfig } from '../config/defaults.js'
import type { HostDevice } from '../devices/host.js'
import { openHost } from '../devices/open.js'
import type { Box } from '../envs/index.js'
import { bundleFiles } from '../export/bundle.js'
import type { PolicySpec } from '../learner/heads/head.js'
import { initialParameters } from '../nn/initialise.js'
import { WorkerPolicies } from '../rollout/index.js'
import { packageVersion } from '../runs/version.js'
import { createPolicy } from '../runtime/index.js'
import type { BenchOptions } from './options.js'
import { plainJavaScript } from './plain-policy.js'
import { result, type Result } from './report.js'
import type { PolicyCall, PolicyRival } from './rivals.js'
import { syntheticSpec } from './synthetic.js'
import { METHODS } from './tasks.js'
import { quotients, takeTurns } from './turns.js'

const SIZES = { agents: 1, observation: 17, state: 17, action: 3 }
const NAME = 'policy 17-128-128-3'
const BATCHES = [1, 64]
/** Rows of one figure: a figure is the mean over calls that fit between the time slices of a busy machine. */
const ROWS = 320
/** Figures of a round, of which the fastest counts. */
const FIGURES = 5
/** Rounds that engines with several compilers need before their best code runs. */
const WARM_UP = 5
/** Greatest accepted difference between the actions of two implementations. */
const TOLERANCE = 1e-4

/** A call that acts on a batch, and its name. */
interface Contestant {
  readonly name: string
  readonly rows: number
  readonly call: () => unknown
}

/** A policy that all implementations have. */
interface Subject {
  readonly host: HostDevice
  readonly spec: PolicySpec
  readonly parameters: Float32Array
  readonly action: Box
  readonly observations: Float32Array
}

/** Time of one action, and of batches of actions, beside plain JavaScript and other implementations. */
export async function* benchInference({ rounds, rivals }: BenchOptions): AsyncGenerator<Result> {
  const subject = await makeSubject()
  const others = [plainJavaScript, ...rivals.policies]
  for (const rows of BATCHES) {
    const ours = await ownContestants(subject, rows)
    const theirs: Contestant[] = []
    for (const rival of others) theirs.push(await open(rival, subject, rows))
    const contestants = [...ours, ...theirs]
    const outcomes = await takeTurns(
      contestants.map((contestant) => () => microseconds(contestant)),
      { rounds, warmUp: WARM_UP },
    )
    for (const [i, { name }] of contestants.entries()) {
      yield result(`${NAME}, batch ${rows}, ${name}`, 'us', outcomes[i])
    }
    for (const [i, { name }] of theirs.entries()) {
      const speed = quotients(outcomes[ours.length + i], outcomes[0])
      yield result(`${NAME}, batch ${rows}, ${ours[0].name} against ${name}`, 'x', speed)
    }
  }
}

/** Microseconds of a call. */
async function microseconds({ rows, call }: Contestant): Promise<number> {
  const calls = Math.ceil(ROWS / rows)
  let best = Infinity
  for (let figure = 0; figure < FIGURES; figure++) {
    const begun = performance.now()
    for (let i = 0; i < calls; i++) {
      const pending = call()
      if (pending instanceof Promise) await pending
    }
    best = Math.min(best, ((performance.now() - begun) * 1000) / calls)
  }
  return best
}

async function makeSubject(): Promise<Subject> {
  const host = await openHost()
  const noise = (out: Float32Array, stream: number) => {
    const values = host.tensor('f32', out.length)
    host.kernels.exports.fillNormals(host.addressOf(values), out.length, 1, 0, 0, stream, 0)
    out.set(host.f32(values))
    return out
  }
  const env = syntheticSpec(SIZES)
  const options = { ...baseConfig.actor, hidden: [128, 128], agentId: false, standardise: false }
  const [spec] = actorSpecs(options, env)
  // A head of ordinary size: its actions can be compared.
  const parameters = initialParameters(host, spec, 1, (stream) => (out) => void noise(out, stream))
  const observations = noise(new Float32Array(BATCHES.at(-1)! * SIZES.observation), 100)
  return { host, spec, parameters, action: env.agents[0].action as Box, observations }
}

/** Ways in which this package acts: the exported module first where the batch is one row, the rollouts' pass otherwise. */
async function ownContestants(subject: Subject, rows: number): Promise<Contestant[]> {
  const { spec, parameters, action, observations } = subject
  if (rows > 1) return [rolloutPass(subject, rows)]
  const agent = { agent: { index: 0, id: 'agent_0' }, spec, parameters, action }
  const origin = {
    packageVersion,
    environment: { id: 'synthetic' },
    algorithm: METHODS[0],
    seed: 1,
    steps: 0,
    iteration: 0,
    evaluation: null,
  }
  const [{ bytes }] = await bundleFiles([agent], origin)
  const module = new WebAssembly.Module(bytes)
  const { exports } = new WebAssembly.Instance(module)
  const bare = exports as unknown as {
    memory: WebAssembly.Memory
    observation: WebAssembly.Global<'i32'>
    act(): number
    sample(): number
  }
  const observation = observations.subarray(0, SIZES.observation)
  new Float32Array(bare.memory.buffer, bare.observation.value, observation.length).set(observation)
  const policy = createPolicy(module)
  const out = new Float32Array(SIZES.action)
  return [
    { name: 'act()', rows, call: () => bare.act() },
    { name: 'sample()', rows, call: () => bare.sample() },
    { name: 'act(observation, out) of the runtime', rows, call: () => policy.act(observation, out) },
    rolloutPass(subject, rows),
  ]
}

/** The pass of rollout workers, which choose the actions of all their environments at once. */
function rolloutPass({ host, spec, parameters, observations }: Subject, rows: number): Contestant {
  const flat = host.tensor('f32', parameters.length)
  host.write(flat, parameters)
  const policies = new WorkerPolicies(host, [spec], [flat], [rows], 1)
  policies.prepare()
  const [[addresses]] = policies.addresses
  const { buffer } = host.kernels.memory
  const inputs = new Float32Array(buffer, addresses.observations, rows * SIZES.observation)
  const { runAlone } = host.kernels.exports
  const given = observations.subarray(0, inputs.length)
  return {
    name: 'pass of a rollout',
    rows,
    call: () => {
      inputs.set(given)
      runAlone(addresses.mode)
    },
  }
}

/** @throws Error for an implementation that gives other actions than plain JavaScript: it would do other work */
async function open(rival: PolicyRival, subject: Subject, rows: number): Promise<Contestant> {
  const { spec, parameters } = subject
  const observations = subject.observations.slice(0, rows * SIZES.observation)
  const call: PolicyCall = await rival.open({ spec, parameters }, rows)
  const expected = await (await plainJavaScript.open({ spec, parameters }, rows))(observations)
  const found = await call(observations)
  const wrong = expected.findIndex((value, i) => !(Math.abs(found[i] - value) <= TOLERANCE))
  if (wrong >= 0)
    throw new Error(`${rival.name}: action ${wrong} is ${found[wrong]}, must be ${expected[wrong]}`)
  return { name: rival.name, rows, call: () => call(observations) }
}
