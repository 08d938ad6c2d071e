import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { validateConfig } from '../../src/config/index.js'
import { DIAGNOSES, diagnose, DiagnosisWatch } from '../../src/runs/diagnostics.js'
import { readMetrics } from '../../src/runs/metrics.js'
import type { AgentRecord, IterationRecord } from '../../src/runs/types.js'
import { iterationRecord, testConfig } from './fixtures.js'

const RESULTS = join(import.meta.dirname, '../../../docs/results')
const config = testConfig()

/** Changes to a healthy record; those of `agent` are its first agent's. */
interface Change extends Partial<IterationRecord> {
  readonly agent?: Partial<AgentRecord>
}

const episodes = (mean: number, sd: number, min: number, max = min): Partial<IterationRecord> => ({
  episodeReturn: { mean, count: 20, sd, min: mean - sd, max: mean + sd },
  episodeLength: { mean: (min + max) / 2, min, max },
})

/** Record of two agents that learn: the return rises by 10 in every iteration. */
function healthy(iteration: number): IterationRecord {
  const record = iterationRecord(iteration)
  const agent = { ...record.agents[0], std: 0.37 }
  return {
    ...record,
    ...episodes(10 * iteration - 120, 30, 1000),
    agents: [agent, { ...agent, id: 'agent_1' }],
  }
}

/** Records of iterations 1 to `count`, from `from` on with changes. */
function records(
  count: number,
  from = 1,
  change: (iteration: number) => Change = () => ({}),
): IterationRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const record = healthy(i + 1)
    if (i + 1 < from) return record
    const { agent, ...changes } = change(i + 1)
    const [first, ...others] = record.agents
    return { ...record, agents: [{ ...first, ...agent }, ...others], ...changes }
  })
}

const failing = () => ({ agent: { accepted: false, rejection: 'line-search', rejectedSteps: 1, klUsed: 0 } })
const critic = (explainedVariance: number) => ({
  critic: { ...iterationRecord(1).critic, explainedVariance },
})
const flat = episodes(-40, 3, 1000)

/** Records in which a symptom holds, and the figure and the keys that its line names. */
const CASES: Record<string, { sick: IterationRecord[]; told: readonly string[] }> = {
  'line-search': {
    // In three of four iterations.
    sick: records(60, 41, (k) => (k % 4 === 0 ? {} : failing())),
    told: ['agent_0', '75%', '41 to 60', 'trustRegion.delta (0.01)', '4000'],
  },
  'kl-unused': {
    sick: records(60, 41, () => ({ agent: { klUsed: 0.0004 } })),
    told: ['agent_0', '4%', 'trustRegion.damping (0.1)'],
  },
  'factor-spread': {
    sick: records(60, 41, () => ({ agent: { factorSpread: { min: 0, max: 40, sd: 3 } } })),
    told: ['agent_0', 'sd of 3', '10%', 'trustRegion.delta'],
  },
  critic: {
    sick: records(60, 1, () => ({ ...critic(-0.04), ...episodes(-120, 30, 1000) })),
    told: ['the critic', '-0.04', 'critic.epochs (5)', 'critic.lr (0.0005'],
  },
  exploration: {
    sick: records(60, 6, () => ({ agent: { std: 0.01 }, ...episodes(-95, 30, 700, 1000) })),
    told: ['agent_0', 'std of 0.01', '0.37 at first', 'actor.stdY (0.5)'],
  },
  'standing-still': {
    sick: records(120, 11, () => flat),
    told: ['50 iterations', '1000 steps', '-40', 'actor.stdY (0.5)'],
  },
  'broken-steps': {
    sick: records(60, 41, () => ({ faults: { workerRestarts: 0, environmentRestarts: 0, brokenSteps: 5 } })),
    told: ['100 of 80000 steps', '41 to 60'],
  },
  'dropped-updates': {
    sick: records(60, 41, (k) => (k % 2 ? {} : { agent: { rejection: 'non-finite', rejectedSteps: 1 } })),
    told: ['50%', 'critic.maxGradNorm (10)'],
  },
}

for (const [name, { sick, told }] of Object.entries(CASES)) {
  test(`only the symptom ${name} is reported, with its figure and the keys to change`, () => {
    const found = diagnose(sick, config)
    assert.deepEqual(
      found.map((finding) => finding.name),
      [name],
    )
    for (const word of told) assert.ok(found[0].line.includes(word), `${found[0].line} lacks ${word}`)
    assert.ok(!found[0].line.includes('\n'))
    // As files hold it, with null for numbers that are not finite.
    assert.deepEqual(diagnose(JSON.parse(JSON.stringify(sick)) as IterationRecord[], config), found)
  })
}

test('every diagnosis has a case here and a row in the page on tuning', () => {
  const page = readFileSync(join(RESULTS, '../tuning.md'), 'utf8')
  assert.deepEqual(Object.keys(CASES).sort(), Object.keys(DIAGNOSES).sort())
  for (const name of Object.keys(DIAGNOSES)) assert.ok(page.includes(`| \`${name}\` |`), name)
})

test('healthy records, records of a solved game and a few records have no symptom', () => {
  assert.deepEqual(diagnose([], config), [])
  for (const count of [1, 19, 20, 60, 300]) assert.deepEqual(diagnose(records(count), config), [])
  const solved = (k: number): Change => ({
    agent: { accepted: false, rejection: 'curvature', rejectedSteps: 1, klUsed: 0, entropyShare: 0 },
    ...critic(NaN),
    episodeReturn:
      k < 4 ? { mean: 0.2, count: 4, sd: 0.4, min: 0, max: 1 } : { mean: 1, count: 4, sd: 0, min: 1, max: 1 },
    episodeLength: { mean: 1, min: 1, max: 1 },
  })
  assert.deepEqual(diagnose(records(200, 1, solved), config), [])
  // A team that has learned all there is: every episode runs to its limit, with the same return.
  assert.deepEqual(
    diagnose(
      records(200, 100, () => episodes(2500, 40, 1000)),
      config,
    ),
    [],
  )
})

test('critics of single agents are named by number', () => {
  const bad = records(60, 1, () => {
    const { critic: fits } = healthy(1)
    return {
      ...critic(-0.5),
      critics: [fits, { ...fits, explainedVariance: -1 }],
      ...episodes(-120, 30, 1000),
    }
  })
  const [{ name, line }] = diagnose(bad, testConfig('critic.sharing=own'))
  assert.equal(name, 'critic')
  assert.match(line, /^critic not fitting: critic 1 explains -1 /)
})

test('a symptom is reported when it first occurs, and again only after a window without it', () => {
  const sick = (k: number) => (k > 30 && k <= 60) || (k > 70 && k <= 90) || k > 150
  const run = records(200, 1, (k) => (sick(k) ? failing() : {}))
  const told = (from: readonly IterationRecord[], to: readonly IterationRecord[]) => {
    const watch = new DiagnosisWatch(config, from)
    return to.flatMap((record) => watch.next(record).map(({ name }) => `${record.iteration} ${name}`))
  }
  const all = told([], run)
  assert.deepEqual(all, ['41 line-search', '161 line-search'])
  // A resumed run reports new symptoms.
  for (const at of [40, 45, 65, 140, 170])
    assert.deepEqual(
      told(run.slice(0, at), run.slice(at)),
      all.filter((line) => parseInt(line) > at),
    )
  const watch = new DiagnosisWatch(config, run)
  assert.deepEqual(watch.findings, diagnose(run, config))
  assert.equal(watch.findings.length, 1)
})

test('the published runs have no symptom at any time', () => {
  const runs = readdirSync(RESULTS, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('metrics.jsonl'),
  )
  assert.ok(runs.length >= 7)
  for (const path of runs) {
    const dir = join(RESULTS, path, '..')
    const text = readFileSync(join(dir, 'config.json'), 'utf8')
    const { about: _, ...stored } = JSON.parse(text) as {
      about?: unknown
    }
    const published = validateConfig(stored)
    const all = readMetrics(join(RESULTS, path))
    for (let k = 10; k <= all.length; k += 10)
      assert.deepEqual(diagnose(all.slice(0, k), published), [], `${path}, iteration ${k}`)
  }
})
