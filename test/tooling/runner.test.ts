import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../../scripts/test.mjs', import.meta.url))

/** Runs the test script in a project whose test files (name to code) are built, unless listed in `unbuilt`. */
function runTests(
  files: Record<string, string>,
  {
    words = [],
    unbuilt = [],
    stale = {},
  }: { words?: string[]; unbuilt?: string[]; stale?: typeof files } = {},
): { lines: string[]; last: string | undefined; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-runner-'))
  try {
    for (const name of ['scripts', 'test/learner', 'dist/test/learner'])
      mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    copyFileSync(script, join(folder, 'scripts/test.mjs'))
    for (const [name, code] of Object.entries(files)) {
      writeFileSync(join(folder, `test/${name}.test.ts`), code)
      if (!unbuilt.includes(name)) writeFileSync(join(folder, `dist/test/${name}.test.js`), code)
    }
    for (const [name, code] of Object.entries(stale)) {
      writeFileSync(join(folder, `dist/test/${name}.test.js`), code)
    }
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const run = spawnSync(process.execPath, [join(folder, 'scripts/test.mjs'), ...words], {
      env,
      encoding: 'utf8',
    })
    const lines = run.stdout.trimEnd().split('\n')
    return { lines, last: lines.at(-1), status: run.status }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const good = "import test from 'node:test'\ntest('holds', () => {})\n"

test('passing tests are counted, exit code 0', () => {
  const { last, status } = runTests({ a: good, b: good })
  assert.deepEqual({ last, status }, { last: '2 passed, 0 failed', status: 0 })
})

test('failing and skipped tests are counted and named, exit code 1', () => {
  const bad =
    "test('breaks', () => { throw new Error('because') })\ntest('waits', { skip: true }, () => {})\n"
  const { lines, last, status } = runTests({ a: good + bad })
  assert.deepEqual({ last, status }, { last: '1 passed, 1 failed, 1 skipped', status: 1 })
  const summary = lines.slice(lines.indexOf('Failed:')).join('\n')
  assert.match(summary, /dist\/test\/a\.test\.js: breaks\n +because/)
})

test('a suite is not a test, its members are', () => {
  const suite = "import test, { describe } from 'node:test'\ndescribe('s', () => { test('t', () => {}) })\n"
  assert.equal(runTests({ a: suite }).last, '1 passed, 0 failed')
})

const broken: Record<string, string> = {
  'throws while loading': "throw new Error('boom')\n",
  'holds no test': 'export {}\n',
  'leaves before its tests end': "import test from 'node:test'\ntest('t', () => process.exit(0))\n",
  'leaves a rejected promise': `${good}test('t', () => { void Promise.reject(new Error('late')) })\n`,
}

for (const [what, code] of Object.entries(broken)) {
  test(`a file that ${what} fails`, () => {
    const { last, status } = runTests({ a: good, b: code })
    assert.equal(status, 1)
    assert.match(last ?? '', /^\d+ passed, 1 failed$/)
  })
}

test('files of some folders share a process, but for those that change it', () => {
  const inThe = (same: boolean) =>
    `${good}if (('mark' in globalThis) !== ${same}) throw new Error('other process')\n`
  const files = {
    'learner/a': `globalThis.mark = true\n${good}`,
    'learner/b': inThe(true),
    'learner/c': `${inThe(false)}// process.env\n`,
    d: inThe(false),
  }
  assert.equal(runTests(files).last, '4 passed, 0 failed')
})

test('in a shared process, too, a file that throws or has no tests fails by its name', () => {
  const files = { 'learner/a': good, 'learner/b': broken['throws while loading'], 'learner/c': 'export {}\n' }
  const { lines, last } = runTests({ ...files, 'learner/d': good })
  assert.equal(last, '2 passed, 2 failed')
  const summary = lines.slice(lines.indexOf('Failed:')).join('\n')
  assert.match(summary, /learner\/b\.test\.js: the file itself\n +boom/)
  assert.match(summary, /learner\/c\.test\.js: no test finished/)
  const ended = runTests({ 'learner/a': broken['leaves before its tests end'], 'learner/b': good })
  assert.match(ended.lines.join('\n'), /learner\/b\.test\.js: no test finished/)
  assert.equal(ended.status, 1)
})

test('a test file that was not built fails', () => {
  const { last, status } = runTests({ a: good, b: good }, { unbuilt: ['b'] })
  assert.deepEqual({ last, status }, { last: '0 passed, 1 failed', status: 1 })
})

test('a test without a source is not run', () => {
  assert.equal(
    runTests({ a: good }, { stale: { old: "throw new Error('old')\n" } }).last,
    '1 passed, 0 failed',
  )
})

test('words select files; no matching file is a failure', () => {
  const files = { near: good, far: good + good.split('\n')[1] }
  assert.equal(runTests(files, { words: ['near'] }).last, '1 passed, 0 failed')
  const none = runTests(files, { words: ['nothing'] })
  assert.deepEqual({ last: none.last, status: none.status }, { last: '0 passed, 0 failed', status: 1 })
})
