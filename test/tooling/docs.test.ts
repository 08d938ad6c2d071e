import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { regenerate } from '../../scripts/docs/blocks.js'
import { dealings, FAMILIES } from '../../scripts/docs/drives.js'
import { EnvContext } from '../../src/envs/context.js'
import { listEnvs } from '../../src/envs/index.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const script = join(root, 'dist/scripts/docs.js')
const context = new EnvContext()

test('the generated tables and pictures of the documentation are up to date', () => {
  const { stderr, status } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
})

test('every family has a page with its task, its partitions and its sizes; every id is in the index', () => {
  for (const family of FAMILIES) {
    const page = readFileSync(join(root, 'docs/envs', `${family}.md`), 'utf8')
    for (const block of ['task', 'drives', 'sizes'])
      assert.ok(page.includes(`<!-- generated: ${block} ${family} -->`))
    assert.match(page, /\n## Differences from the originals\n/)
  }
  const index = readFileSync(join(root, 'docs/envs/README.md'), 'utf8')
  for (const { id } of listEnvs()) assert.ok(index.includes(`\`${id}\``), id)
  for (const [, picture] of index.matchAll(/!\[[^\]]*\]\(([^()\s]+)\)/g)) {
    assert.ok(existsSync(join(root, 'docs/envs', picture)), picture)
  }
})

test('a stale table is regenerated, and a broken mark is refused', async () => {
  const page = 'a\n\n<!-- generated: sizes Hopper -->\n\nold\n\n<!-- end -->\n\nb\n'
  const made = await regenerate(page, 'page.md', context)
  assert.match(
    made,
    /^a\n\n<!-- generated: sizes Hopper -->\n\n\| id \|[^]*\| `Hopper-3x1` \| v2 v4 v5 \| harl graph farama \| 3 \| 1 \|/,
  )
  assert.ok(!made.includes('old') && made.endsWith('<!-- end -->\n\nb\n'))
  assert.equal(await regenerate(made, 'page.md', context), made)
  await assert.rejects(
    regenerate('<!-- generated: sizes Hopper -->\n', 'page.md', context),
    /^HatrpoError: page\.md: 1 generated blocks begin, 0 end$/,
  )
  await assert.rejects(
    regenerate('<!-- generated: size Hopper -->\n<!-- end -->', 'page.md', context),
    /page\.md: generated: size: must be drives, sizes, task, gallery, ids, particles, preset, configuration$/,
  )
})

test('equal partitions are shown once, the default first', () => {
  const ways = (family: string, division: string) =>
    dealings(family, division).map(({ partitions }) => partitions)
  assert.deepEqual(ways('Hopper', '3x1'), [['harl', 'graph', 'farama']])
  assert.deepEqual(ways('HalfCheetah', '2x3'), [['harl', 'farama'], ['graph']])
  assert.deepEqual(ways('HalfCheetah', '3x2'), [['harl'], ['graph']])
  assert.deepEqual(dealings('HalfCheetah', '3x2')[1].parts, [
    [2, 1],
    [0, 5],
    [4, 3],
  ])
})

test('an unknown family is refused in one line', () => {
  const { stderr, status } = spawnSync(process.execPath, [script, 'Cat'], { encoding: 'utf8' })
  assert.match(stderr, /^docs: family Cat: must be one of HalfCheetah, .+\n$/)
  assert.equal(status, 2)
})
