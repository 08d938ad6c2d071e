// Contract of every source of rollouts, with and without threads.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import type { HostArray } from '../../src/devices/tensor.js'
import {
  EnvContext,
  loadEnvFactory,
  RUNNING,
  TERMINATED,
  TRUNCATED,
  type EnvConfig,
} from '../../src/envs/index.js'
import { HatrpoError } from '../../src/errors.js'
import { CONTROL, PURPOSE } from '../../src/kernels/index.js'
import {
  carriedColumns,
  episodeSeed,
  freshProgress,
  type EnvProgress,
  type Rollout,
  type RolloutStorage,
} from '../../src/rollout/index.js'
import { fixture } from '../training/runs.js'
import { ALL_NEEDS, ENVS, open, recorded, SEED, STEPS, type Opened } from './setup.js'

/** Numbers of workers; 0 is the source without threads. */
const SOURCES = [0, 1, 2]
/** The cart falls, runs out of time, and loses an agent. */
const rough = { id: fixture('rough'), edge: 0.8 }

/** Opens a source of rollouts for a test, and closes it also when the test fails. */
async function using<T>(args: Parameters<typeof open>, use: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await open(...args)
  try {
    return await use(opened)
  } finally {
    await opened.source.close()
  }
}

/** Number of threads that help, as soon as it is `count`, without leaving the calling thread. */
function waitForHelpers(host: Opened['host'], count: number): number {
  const control = new Int32Array(host.shared.memory.buffer, host.control, CONTROL.bytes / 4)
  const end = performance.now() + 10_000
  const helpers = () => Atomics.load(control, CONTROL.helpers / 4)
  while (helpers() < count && performance.now() < end);
  return helpers()
}

/** Result of a rollout, without the time that it took. */
function course({ progress, episodes, faults, environmentRestarts }: Rollout) {
  return { progress, episodes, faults, environmentRestarts }
}

/** Bytes of the recorded rows; those of final states that no truncation of this rollout filled are left out. */
function rowsOf(storage: RolloutStorage): Record<string, string> {
  const rows = recorded(storage).filter(({ column }) => column.moment !== 'final')
  return Object.fromEntries(rows.map(({ name, values }) => [name, digest(values)]))
}

/** Bytes of all columns. */
function columnsOf(storage: RolloutStorage): Record<string, string> {
  return Object.fromEntries(recorded(storage).map(({ name, values }) => [name, digest(values)]))
}

function digest({ buffer, byteOffset, byteLength }: HostArray): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
}

/** Two rollouts one after the other, and the evaluation after them. */
function observe(workers: number, env: EnvConfig) {
  return using([workers, env, { needs: ALL_NEEDS }], async ({ storage, source, policies, events }) => {
    const first = await source.collect(policies, freshProgress(ENVS), 0)
    const afterFirst = columnsOf(storage)
    const second = await source.collect(policies, first.progress, STEPS)
    const order = { episodes: 5, iteration: 3, seed: 11 }
    const outcomes = await source.evaluate(policies, order)
    const drawn = await source.evaluate(policies, { ...order, sample: true })
    return {
      first: course(first),
      afterFirst,
      second: course(second),
      after: columnsOf(storage),
      rows: rowsOf(storage),
      ...outcomes,
      drawn,
      events,
    }
  })
}

test('every source records the same bytes, progress, episodes, faults and evaluation returns', async () => {
  for (const env of [rough, { id: fixture('breaking'), what: 'policy', every: 2 }]) {
    const [inline, ...pools] = await Promise.all(SOURCES.map((workers) => observe(workers, env)))
    assert.ok(inline.first.episodes.length > 0)
    assert.equal(new Set(inline.returns).size, 5)
    assert.ok(inline.lengths.every((length) => length > 0))
    // The same starts, and other actions.
    assert.notDeepEqual(inline.drawn.returns, inline.returns)
    for (const pool of pools) assert.deepEqual(pool, inline)
  }
})

for (const workers of SOURCES) {
  test(`${workers} workers: a rollout continues from its progress, in the same source or another`, async () => {
    const collect = (progress: readonly EnvProgress[], startStep: number, carried: readonly HostArray[]) =>
      using([workers, rough, { needs: ALL_NEEDS }], async ({ spec, storage, source, policies }) => {
        const columns = () =>
          carriedColumns.flatMap((name) => spec.agents.map((_, i) => storage.agentColumn(name, [i])))
        if (carried.length > 0) columns().forEach((column, i) => column.set(carried[i]))
        const rollout = course(await source.collect(policies, progress, startStep))
        return { rollout, rows: rowsOf(storage), carried: columns().map((column) => column.slice()) }
      })
    const begun = await collect(freshProgress(ENVS), 0, [])
    const { progress } = begun.rollout
    const resumed = await collect(progress, STEPS, begun.carried)
    const { second, rows } = await observe(workers, rough)
    assert.deepEqual(resumed.rollout, second)
    assert.deepEqual(resumed.rows, rows)
    // Noise is keyed by the step, so that another start step is another rollout.
    assert.notDeepEqual((await collect(progress, 0, begun.carried)).rows, resumed.rows)
    const forgotten = await collect(progress, STEPS, [])
    assert.notDeepEqual(forgotten.rows, resumed.rows, 'states of policies matter')
  })

  test(`${workers} workers: columns have the views of the environment, also at truncations and after the rollout`, async () => {
    await using([workers, rough, { needs: ALL_NEEDS }], async ({ host, spec, storage, source, policies }) => {
      const { episodes } = await source.collect(policies, freshProgress(ENVS), 0)
      const { create } = await loadEnvFactory(rough)
      const { truncations } = storage.layout
      const columns = new Map(recorded(storage).map((column) => [column.name, column]))
      const row = (name: string, at: number) => {
        const { width, values } = columns.get(name)!
        return Array.from(values).slice(at * width, (at + 1) * width)
      }
      const seen = { [TERMINATED]: 0, [TRUNCATED]: 0, left: 0 }
      const found: { env: number; return: number; steps: number }[] = []
      for (let e = 0; e < ENVS; e++) {
        const env = await create(new EnvContext())
        let [episode, cut, length, total] = [0, 0, 0, 0]
        const restart = () => {
          env.reset(episodeSeed(host.kernels, SEED, PURPOSE.episodes, e, episode++))
          length = total = 0
        }
        const final = (at: number) => {
          assert.deepEqual(row('finalStates', at), [...env.state])
          env.observations.forEach((o, i) => assert.deepEqual(row(`finalObservations ${i}`, at), [...o]))
        }
        restart()
        for (let t = 0; t < STEPS; t++) {
          const at = t * ENVS + e
          assert.deepEqual(row('states', at), [...env.state])
          assert.deepEqual([...row('valid', at), ...row('episodeStarts', at)], [1, length === 0 ? 1 : 0])
          spec.agents.forEach((_, i) => {
            assert.deepEqual(row(`observations ${i}`, at), [...env.observations[i]])
            assert.deepEqual(row(`weight ${i}`, at), [env.active![i]])
            assert.equal(
              row(`hidden ${i}`, at).every((h) => h === 0),
              length === 0,
            )
            env.actions[i].set(row(`actions ${i}`, at))
          })
          seen.left += 1 - env.active![2]
          const end = env.step()
          assert.deepEqual(row('ends', at), [end])
          spec.agents.forEach((_, i) => assert.deepEqual(row(`rewards ${i}`, at), [env.rewards[i]]))
          total += (env.rewards[0] + env.rewards[1] + env.rewards[2]) / 3
          length++
          if (end === RUNNING) continue
          seen[end as typeof TERMINATED]++
          if (end === TRUNCATED) final(ENVS + e * truncations + cut++)
          found.push({ env: e, return: total, steps: length })
          restart()
        }
        final(e)
        env.dispose?.()
      }
      assert.deepEqual(episodes, found)
      for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `nothing of ${what}`)
    })
  })

  for (const what of ['reward', 'policy']) {
    test(`${workers} workers: a broken step (${what}) leaves the values of the column table, and resets`, async () => {
      const env = { id: fixture('breaking'), what, every: 2 }
      await using([workers, env, { needs: ALL_NEEDS }], async ({ storage, source, policies }) => {
        const { faults } = await source.collect(policies, freshProgress(ENVS), 0)
        assert.ok(faults.length > 0)
        const reason =
          what === 'reward' ? /the reward is NaN$/ : /the policy of right gave a non-finite action$/
        const broken = new Set<number>()
        for (const fault of faults) {
          assert.match(fault.reason, reason)
          broken.add(fault.step * ENVS + fault.env)
        }
        const { valid, ends, episodeStarts, states } = storage.team
        for (let r = 0; r < storage.rows; r++) {
          assert.equal(valid[r], broken.has(r) ? 0 : 1)
          if (!broken.has(r)) continue
          assert.equal(ends[r], TERMINATED)
          assert.equal(storage.agentColumn('weight', [0])[r], 0)
          if (r + ENVS < storage.rows) assert.equal(episodeStarts[r + ENVS], 1, 'a new episode follows')
        }
        for (const { name, column, width, values } of recorded(storage)) {
          if (column.moment === 'final' || column.onBrokenStep === null || width === 0) continue
          for (const r of broken)
            for (let i = r * width; i < (r + 1) * width; i++)
              assert.equal(values[i], column.onBrokenStep, name)
        }
        assert.ok(states.every(Number.isFinite))
      })
    })
  }

  test(`${workers} workers: different rewards are refused in one line if a method uses one reward, and recorded otherwise`, async () => {
    const env = { id: fixture('line'), unequal: 1 }
    await using([workers, env], async ({ source, policies }) => {
      await assert.rejects(source.collect(policies, freshProgress(ENVS), 0), (error: Error) => {
        assert.ok(error instanceof HatrpoError)
        assert.match(
          error.message,
          /^line: agent_0 got the reward \S+ and agent_1 \S+ in one step: a critic of a team needs the same reward for all of its agents; critics of the agents do not \(critic\.sharing=own\)$/,
        )
        return true
      })
    })
    await using([workers, env, { oneReward: false }], async ({ storage, source, policies }) => {
      const { episodes } = await source.collect(policies, freshProgress(ENVS), 0)
      const [first, second] = [0, 1].map((agent) => storage.agentColumn('rewards', [agent]))
      assert.notDeepEqual(first, second)
      const length = episodes[0].steps
      let mean = 0
      for (let t = 0; t < length; t++) mean += (first[t * ENVS] + second[t * ENVS]) / 2
      assert.equal(episodes[0].return, mean, 'the return of an episode is that of the mean reward')
    })
  })

  test(`${workers} workers: a failed update is an error, and a source that helped with one collects again`, async () => {
    await using([workers, rough], async ({ host, source, policies }) => {
      assert.equal(await source.assist(() => 7), 7)
      // The other threads come while an update keeps the calling one.
      const helpers = Math.max(0, workers - 1)
      const joined = await source.assist(() => waitForHelpers(host, helpers))
      assert.equal(joined, helpers)
      await assert.rejects(
        source.assist(() => Promise.reject(new Error('no update'))),
        /^Error: no update$/,
      )
      const { progress } = await source.collect(policies, freshProgress(ENVS), 0)
      assert.equal(progress.length, ENVS)
    })
  })
}
