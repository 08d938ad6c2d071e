// Runs the compiled tests, two files at a time, and ends with one line: `N passed, N failed` (`, N skipped`).
// `node scripts/test.mjs WORD...` runs the test files whose path contains one of the words. With `--long` it runs the
// `.long.ts` files instead: every task, every method, which continuous integration has no time for.
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Where tests find TensorFlow.js, which they have in a folder of its own because of its size. */
process.env.NODE_PATH = [join(root, 'test/tensorflow/node_modules'), process.env.NODE_PATH]
  .filter(Boolean)
  .join(delimiter)

const FILES_AT_ONCE = 2
const FILE_LIMIT_MS = 10 * 60_000

const args = process.argv.slice(2)
const ending = args.includes('--long') ? '.long.ts' : '.test.ts'

/** The sources under test/, so that what an earlier build left in dist/ is not run. */
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
  const isFile = data.nesting === 0 && files.includes(data.name)
  if (!isFile && data.file) filesWithTests.add(data.file)
  if (type === 'test:fail')
    fail(isFile ? 'the file itself' : data.name, data.file ?? data.name, reason(data.details.error))
  else if (isFile) return
  else if (data.skip !== undefined || data.todo !== undefined) count.skipped++
  else count.passed++
}

async function runAll() {
  const events = run({ files, concurrency: FILES_AT_ONCE, timeout: FILE_LIMIT_MS })
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
      filesWithTests.has(file) || failures.some((line) => line.startsWith(relative(root, file)))
    if (!reported) fail('no test finished', file)
  }
}

if (failures.length > 0) console.log(`\nFailed:\n\n${failures.map((line) => `  ${line}`).join('\n')}`)
if (count.passed + count.failed === 0) console.log('\nNo test ran.')
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
console.log(`\n${count.passed} passed, ${count.failed} failed${skipped}`)
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0
