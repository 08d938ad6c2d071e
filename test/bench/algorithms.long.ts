import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fixture, temporaryDirectory, tiny } from '../training/runs.js'

const script = join(import.meta.dirname, '../../bench/algorithms.js')

test('a grid of methods is trained once, continues after an interruption, and is printed with its commands', (t) => {
  const dir = temporaryDirectory(t)
  const plain = ['actor.standardise=false', 'critic.standardise=false', 'evaluation.episodes=2']
  const set = [...tiny.filter((setting) => !setting.startsWith('evaluation')), ...plain]
  const methods = [
    'hatrpo-w',
    'happo',
    { name: 'odd one', algo: 'happo', set: ['clipped.epochs=2'] },
    { name: 'misfit', algo: 'hatrpo', set: ['actor.sharing=shared'] },
    'no-such-method',
  ]
  const groups = [
    { title: 'Cart', env: fixture('line'), steps: 240, seeds: '1-2', set, methods, note: 'Short.' },
  ]
  const cells = join(dir, 'cells.json')
  writeFileSync(cells, JSON.stringify({ intro: 'Tiny runs.', groups }))
  const out = join(dir, 'grid')
  const run = (code: number, ...args: string[]) => {
    const options = { encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [script, ...args, '--out', out, '--cells', cells],
      options,
    )
    assert.equal(status, code, stderr)
    return stdout
  }
  assert.match(run(1, 'train', '--only', '.s1'), /3 of 4: line-240\.\S+\.s1/)
  const done = readdirSync(out).filter((name) => name.endsWith('.json'))
  assert.deepEqual(done.sort(), [
    'line-240.happo.s1.json',
    'line-240.hatrpo-w.s1.json',
    'line-240.odd-one.s1.json',
  ])
  const times = done.map((name) => statSync(join(out, name)).mtimeMs)
  // A run without a result is continued: its folder says that it is finished.
  const first = readFileSync(join(out, done[0]), 'utf8')
  rmSync(join(out, done[0]))
  const log = run(1, 'train', '--workers', '0')
  assert.match(log, /no-such-method: left out: algo is "no-such-method"/)
  assert.match(log, /6 of 8/)
  assert.equal(readFileSync(join(out, done[0]), 'utf8'), first)
  for (const i of [1, 2]) assert.equal(statSync(join(out, done[i])).mtimeMs, times[i])

  const page = run(0, 'table')
  const { final } = JSON.parse(first) as { final: number }
  const row = page.split('\n').find((line) => line.startsWith('| happo |'))!
  assert.ok(row.includes(Math.abs(final) >= 100 ? final.toFixed(0) : final.toPrecision(3)), row)
  assert.match(page, /\| no-such-method \(not run: [^|]+\) \| – \| – \|/)
  assert.match(page, /\| misfit \(not run: actor\.sharing is "shared": hatrpo needs "own"\) \| – \|/)
  assert.match(page, /npx hatrpo train --env \S+ --algo happo --steps 240 .*clipped\.epochs=2 --seeds 1-2/)
  assert.match(page, /^Short\.$/m)
})
