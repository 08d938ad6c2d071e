// Runs the compiled tests in two processes at a time, and ends with one line: `N passed, N failed` (`, N skipped`).
// `node scripts/test.mjs WORD...` runs the test files whose path contains one of the words. With `--long` it runs the
// `.long.ts` files instead: every task, every method, which continuous integration has no time for.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Location of TensorFlow.js for tests, in a separate folder because of its size. */
process.env.NODE_PATH = [join(root, 'test/tensorflow/node_modules'), process.env.NODE_PATH]
  .filter(Boolean)
  .join(delimiter)

/**
 * Folder of the Python behind `python3` if that is a script, as version managers install it: the script takes longer
 * than the start of Python itself, of which the tests have more than a hundred.
 */
function pythonFolder() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const found = folders.map((folder) => join(folder, 'python3')).find((path) => existsSync(path))
  if (!found || readFileSync(found).toString('latin1', 0, 2) !== '#!') return []
  const { stdout } = spawnSync(found, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  const folder = dirname(stdout.trim())
  return existsSync(join(folder, 'python3')) ? [folder] : []
}
process.env.PATH = [...pythonFolder(), process.env.PATH].filter(Boolean).join(delimiter)

const PROCESSES_AT_ONCE = 2
const PROCESS_LIMIT_MS = 20 * 60_000

/**
 * Folders whose test files share a process, row by row: one process for each file would start Node, compile the modules
 * and load MuJoCo again, which takes longer than many files do. Tests there leave the process as they find it.
 */
const SHARED = [
  ['training'],
  ['kernels', 'nn', 'config', 'runtime'],
  ['learner'],
  ['algorithms', 'rollout'],
  ['render', 'report', 'runs', 'export'],
  ['envs'],
]
/** In the source of a test file that has a process of its own: it changes what the process has once. */
const CHANGES_PROCESS = /\bprocess\.(?:chdir|env|on)\b|\bmock\b|^(?:before|after)(?:Each)?\(/m

const args = process.argv.slice(2)
const ending = args.includes('--long') ? '.long.ts' : '.test.ts'

/** Sources under test/, so that remains of an earlier build in dist/ are not run. */
function testSources() {
  return readdirSync(join(root, 'test'), { recursive: true })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules/'))
    .sort()
}

/** The first line of what went wrong: the cause, where node:test wrapped it. */
function reason(error) {
  const message = error?.cause?.message ?? error?.cause ?? error?.message ?? error
  return String(message).trim().split('\n')[0]
}

const words = args.filter((arg) => arg !== '--long')
const chosen = testSources().filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
const files = chosen.map((path) => join(root, 'dist/test', path.replace(/\.ts$/, '.js')))
const unbuilt = files.filter((file) => !existsSync(file))
const entries = mkdtempSync(join(tmpdir(), 'tests-'))
process.once('exit', () => rmSync(entries, { recursive: true, force: true }))

/** Row of `SHARED` that a test file belongs to, or -1 for a process of its own. */
function rowOf(path) {
  const row = ending === '.test.ts' ? SHARED.findIndex((folders) => folders.includes(dirname(path))) : -1
  return row >= 0 && CHANGES_PROCESS.test(readFileSync(join(root, 'test', path), 'utf8')) ? -1 : row
}

/** What the processes run: test files, and modules that import those of a row. */
function processes() {
  const rows = SHARED.map(() => [])
  const alone = []
  chosen.forEach((path, i) => (rows[rowOf(path)] ?? alone).push(files[i]))
  const shared = rows.map((row, i) => {
    if (row.length < 2) return row
    const entry = join(entries, `${SHARED[i].join('-')}.mjs`)
    writeFileSync(entry, `${row.map(importing).join('\n')}\n`)
    return [entry]
  })
  return [...shared.flat(), ...alone]
}

/** Imports a test file; one that cannot be imported is a failing test with the file's name, and the others run. */
function importing(file) {
  const url = JSON.stringify(pathToFileURL(file).href)
  const failing = `test(${JSON.stringify(file)}, () => { throw error })`
  return `await import(${url}).catch((error) => import('node:test').then(({ test }) => void ${failing}))`
}

const count = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const filesWithTests = new Set()

function fail(name, file, why) {
  count.failed++
  failures.push(`${file ? `${relative(root, file)}: ` : ''}${name}${why ? `\n    ${why}` : ''}`)
}

function record({ type, data }) {
  if (type !== 'test:pass' && type !== 'test:fail') return
  if (data.details?.type === 'suite') return
  // node:test reports a file that no test finished, or that crashes, as a test with the file's name.
  const isFile = data.nesting === 0 && (files.includes(data.name) || dirname(data.name) === entries)
  if (!isFile && data.file) filesWithTests.add(data.file)
  if (type === 'test:fail') {
    const [name, file] = isFile ? ['the file itself', data.name] : [data.name, data.file]
    fail(name, file ?? data.name, reason(data.details.error))
  } else if (isFile) return
  else if (data.skip !== undefined || data.todo !== undefined) count.skipped++
  else count.passed++
}

async function runAll() {
  const events = run({ files: processes(), concurrency: PROCESSES_AT_ONCE, timeout: PROCESS_LIMIT_MS })
  events.on('test:pass', (data) => record({ type: 'test:pass', data }))
  events.on('test:fail', (data) => record({ type: 'test:fail', data }))
  const report = events.compose(new spec())
  for await (const text of report) process.stdout.write(text)
}

if (unbuilt.length > 0) {
  for (const file of unbuilt) fail('not built: npm run build', file)
} else if (files.length > 0) {
  await runAll()
  for (const file of files) {
    const reported =
      filesWithTests.has(file) || failures.some((line) => line.startsWith(`${relative(root, file)}: `))
    if (!reported) fail('no test finished', file)
  }
}

if (failures.length > 0) console.log(`\nFailed:\n\n${failures.map((line) => `  ${line}`).join('\n')}`)
if (count.passed + count.failed === 0) console.log('\nNo test ran.')
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
console.log(`\n${count.passed} passed, ${count.failed} failed${skipped}`)
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0
