import assert from 'node:assert/strict'
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { TrainConfig } from '../../src/config/index.js'
import { DIAGNOSES } from '../../src/runs/diagnostics.js'
import { openRun } from '../../src/runs/folder.js'
import { MetricsFollower } from '../../src/runs/metrics-follower.js'
import { iterationScalars } from '../../src/runs/scalars.js'
import type { IterationRecord } from '../../src/runs/types.js'
import { FileView, WatchedFolder } from '../../src/web/folders.js'
import { EVALUATION, PANELS } from '../../src/web/panels.js'
import { serveWatch } from '../../src/web/server.js'
import { formatSeen, parseSeen, type RunUpdate, type SeenRun, type Updates } from '../../src/web/updates.js'
import { Watch } from '../../src/web/watch.js'
import { KEPT } from '../../src/web/watched-run.js'
import { findChromium, newPage } from '../hosts/chromium.js'
import {
  evaluationRecord,
  iterationRecord,
  saying,
  temporaryDirectory,
  testConfig,
} from '../runs/fixtures.js'

const results = new URL('../../../docs/results/', import.meta.url)
const chromium = findChromium()

function line(iteration: number): string {
  return `${JSON.stringify(iterationRecord(iteration))}\n`
}

const config = testConfig()

/** Makes the folder of a run that was stopped after some iterations. */
function writeRun(dir: string, iterations: number, other: Partial<TrainConfig> = {}, lines = line): void {
  mkdirSync(dir)
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ ...config, ...other }))
  writeFileSync(
    join(dir, 'metrics.jsonl'),
    Array.from({ length: iterations }, (_, i) => lines(i + 1)).join(''),
  )
}

const none: SeenRun = { generation: 0, rows: 0 }

/** Update for a page that shows the runs with these numbers, by name. */
function told(watch: Watch, seen: ReadonlyMap<number, SeenRun>): Record<string, RunUpdate> {
  return Object.fromEntries(watch.updates(seen).runs.map((run) => [run.name, run]))
}

test('a growing file is read line by line, and again from its start after lines were removed', (t) => {
  const path = join(temporaryDirectory(t), 'metrics.jsonl')
  const follower = new MetricsFollower(3 * line(1).length)
  const read = () => {
    const file = openSync(path, 'r')
    try {
      const { records, ...rest } = follower.read(file)
      return { iterations: records.map(({ iteration }) => iteration), ...rest }
    } finally {
      closeSync(file)
    }
  }
  const quiet = { restarted: false, more: false }
  writeFileSync(path, line(1).slice(0, 40))
  assert.deepEqual(read(), { iterations: [], ...quiet })
  appendFileSync(path, line(1).slice(40) + line(2).slice(0, -1))
  assert.deepEqual(read(), { iterations: [1], ...quiet })
  appendFileSync(path, '\n')
  assert.deepEqual(read(), { iterations: [2], ...quiet })
  assert.deepEqual(read(), { iterations: [], ...quiet })
  // A resume cuts lines; the file may have grown past the old end before it is read again.
  const again = line(2).replace('"seconds":0.5', '"seconds":0.7')
  writeFileSync(path, line(1) + again + line(3) + line(4))
  assert.deepEqual(read(), { iterations: [1, 2, 3], restarted: true, more: true })
  assert.deepEqual(read(), { iterations: [4], ...quiet })
  writeFileSync(path, line(1))
  assert.deepEqual(read(), { iterations: [1], restarted: true, more: false })
  appendFileSync(path, `{"iteration":2}\n${line(3)}`)
  assert.deepEqual(read(), { iterations: [], ...quiet })
  assert.equal(follower.damaged, true)
  writeFileSync(path, line(1) + line(2))
  assert.deepEqual(read(), { iterations: [2], ...quiet })
  assert.equal(follower.damaged, false)
})

test('runs are found below folders, and symbolic links are not followed', (t) => {
  const root = temporaryDirectory(t)
  const outside = temporaryDirectory(t)
  for (const dir of [join(root, 'a/s10'), join(root, 'a/s2'), join(root, '.b/c'), join(outside, 'x')]) {
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'config.json'), '{}')
  }
  mkdirSync(join(root, 'd'))
  symlinkSync(join(outside, 'x'), join(root, 'linked'))
  symlinkSync(join(outside, 'x/config.json'), join(root, 'd/config.json'))
  const names = (path: string, prefix: boolean) =>
    new WatchedFolder(path, prefix).find().map(({ name }) => name)
  assert.deepEqual(names(root, false), ['a/s2', 'a/s10'])
  assert.deepEqual(names(join(root, 'a/s2'), false), ['s2'])
  assert.deepEqual(names(join(root, 'a'), true), [join(root, 'a/s2'), join(root, 'a/s10')])
  assert.deepEqual(names(join(root, 'later'), false), [])
})

test('a file is read from its checked descriptor, even if another file takes its name', (t) => {
  const dir = realpathSync(temporaryDirectory(t))
  const [path, other] = [join(dir, 'config.json'), join(dir, 'other')]
  writeFileSync(path, 'of the run')
  writeFileSync(other, 'of somebody else')
  const texts: string[] = []
  const view = new FileView(dir, 'config.json', (text) => {
    rmSync(path)
    symlinkSync(other, path)
    return texts.push(text)
  })
  assert.equal(view.content, 1)
  assert.equal(view.content, undefined)
  assert.deepEqual(texts, ['of the run'])
})

test('a watch follows a run from before its first line until its end, through a resume', (t) => {
  const root = temporaryDirectory(t)
  const dir = join(root, 'run')
  const watch = new Watch([root], 0)
  assert.deepEqual(told(watch, new Map()), {})
  const run = openRun(dir, config)
  const [first] = Object.values(told(watch, new Map()))
  assert.deepEqual([first.id, first.name, first.state, first.rows], [0, 'run', 'running', 0])
  assert.equal(first.columns, undefined)
  assert.deepEqual(
    [first.totalSteps, first.config['algo'], first.config['env.id']],
    [40_000, '"hatrpo"', '"mamujoco/HalfCheetah-2x3"'],
  )
  run.logIteration(iterationRecord(1))
  run.logIteration(iterationRecord(2))
  run.logEvaluation(evaluationRecord(2, 7))
  const seen = new Map([[0, none]])
  const { columns, ...rest } = told(watch, seen)['run']
  assert.deepEqual([columns!.from, columns!.steps, columns!.seconds], [0, [4000, 8000], [0.5, 1]])
  assert.deepEqual(columns!.values['agent_0/klUsed'], [0.009, 0.009])
  assert.deepEqual(columns!.values['return/training'], [10, null])
  assert.deepEqual(
    [rest.evaluations, rest.agents, rest.rows],
    [{ steps: [8000], means: [7] }, ['agent_0'], 2],
  )
  run.logIteration(iterationRecord(3))
  seen.set(0, { generation: 0, rows: 2 })
  assert.deepEqual(told(watch, seen)['run'].columns!.steps, [12_000])
  run.close()
  assert.equal(told(watch, seen)['run'].state, 'stopped')
  // Without a checkpoint the run starts over.
  const resumed = openRun(dir, config, { resume: true })
  resumed.logIteration(iterationRecord(1))
  const restarted = told(watch, new Map([[0, { generation: 0, rows: 3 }]]))['run']
  assert.deepEqual([restarted.generation, restarted.columns!.from, restarted.columns!.steps], [1, 0, [4000]])
  resumed.close()
})

test('damaged files of a run are reported and do not affect other runs', (t) => {
  const root = temporaryDirectory(t)
  for (const name of ['a', 'b', 'c', 'd']) writeRun(join(root, name), 2)
  writeFileSync(join(root, 'a/config.json'), '{')
  appendFileSync(join(root, 'b/metrics.jsonl'), 'x\n')
  const outside = join(temporaryDirectory(t), 'metrics.jsonl')
  renameSync(join(root, 'c/metrics.jsonl'), outside)
  symlinkSync(outside, join(root, 'c/metrics.jsonl'))
  const { a, b, c, d } = told(new Watch([root]), new Map([0, 1, 2, 3].map((id) => [id, none])))
  assert.match(a.problem!, /^a\/config\.json is damaged/)
  assert.equal(b.problem, 'metrics.jsonl cannot be read after line 2')
  assert.deepEqual([b.rows, c.rows, d.rows], [2, 0, 2])
  assert.deepEqual([c.problem, d.problem], [undefined, undefined])
})

test('numbers of runs do not change when others appear and disappear', (t) => {
  const root = temporaryDirectory(t)
  writeRun(join(root, 'm'), 1)
  writeRun(join(root, 'n'), 1)
  const watch = new Watch([root], 0)
  const ids = () => Object.values(told(watch, new Map())).map(({ id, name }) => `${id} ${name}`)
  assert.deepEqual(ids(), ['0 m', '1 n'])
  cpSync(join(root, 'm'), join(root, 'a'), { recursive: true })
  rmSync(join(root, 'm'), { recursive: true })
  assert.deepEqual(ids(), ['2 a', '1 n'])
})

test('the query lists the rows of a page', () => {
  const seen = new Map([
    [0, { generation: 2, rows: 150 }],
    [3, none],
  ])
  assert.equal(formatSeen(seen), '0.2.150,3.0.0')
  assert.deepEqual(parseSeen('0.2.150,3.0.0'), seen)
  assert.deepEqual(parseSeen(''), new Map())
  for (const wrong of ['1', '1.2', '1.2.x', '../a', '1.2.3,', '-1.0.0', '1.2.3.4'])
    assert.equal(parseSeen(wrong), undefined)
})

test('runs write every number of a panel and the records of every diagnosis', () => {
  const lines = ['HalfCheetah-2x3-hatrpo', 'HalfCheetah-2x3-happo'].map((name) => {
    const text = readFileSync(new URL(`${name}/s1/metrics.jsonl`, results), 'utf8')
    return JSON.parse(text.slice(0, text.indexOf('\n'))) as IterationRecord
  })
  const records = [...lines, { ...iterationRecord(1), episodeLength: { mean: 1, min: 1, max: 1 } }]
  const names = new Set(
    records.flatMap((record) => {
      const scalars = Object.keys(iterationScalars(record))
      const ids = record.agents.map(({ id }) => `${id}/`)
      return scalars.map((name) => name.slice(ids.find((id) => name.startsWith(id))?.length ?? 0))
    }),
  )
  for (const { series } of PANELS)
    for (const { name } of series) assert.ok(name === EVALUATION || names.has(name), name)
  for (const { window } of Object.values(DIAGNOSES)) assert.ok(window <= KEPT)
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Sends a request with exactly this target and host, which `fetch` would normalise. */
function send(url: string, target: string, host = '127.0.0.1', method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url)
    request(
      { host: '127.0.0.1', port, path: target, method, headers: { host }, agent: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
      },
    )
      .on('error', reject)
      .end()
  })
}

async function serveTest(t: TestContext, root: string): Promise<string> {
  const server = await serveWatch(new Watch([root], 0), 0, (error) => assert.fail(error as Error))
  t.after(() => server.close())
  return server.url
}

test('the server answers only this machine, and only from the run folders', async (t) => {
  const root = temporaryDirectory(t)
  writeRun(join(root, 'a'), 2)
  const url = await serveTest(t, root)
  const { port } = new URL(url)
  const page = await send(url, '/')
  assert.equal(page.status, 200)
  assert.doesNotMatch(
    page.body,
    /<style|style=|onclick|<script(?! type="module" src="watch-page\.js")|https?:/,
  )
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
  assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/)
  assert.equal(page.headers['access-control-allow-origin'], undefined)
  const updates = JSON.parse((await send(url, '/updates?0.0.1')).body) as Updates
  assert.deepEqual(updates.runs[0].columns!.steps, [8000])
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost:8080', 'LOCALHOST', '[::1]:1'])
    assert.equal((await send(url, '/updates', host)).status, 200, host)
  for (const host of ['example.org', `example.org:${port}`, '127.0.0.1.example.org', 'localhost@example.org'])
    assert.equal((await send(url, '/updates', host)).status, 403, host)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await send(url, '/updates', undefined, method)
    assert.deepEqual([status, headers['allow']], [405, 'GET, HEAD'], method)
  }
  const head = await send(url, '/', undefined, 'HEAD')
  assert.deepEqual(
    [head.status, head.body, head.headers['content-length']],
    [200, '', page.headers['content-length']],
  )
  const paths = [
    '/../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/..%2fserver.js',
    '/a/metrics.jsonl',
    '/0',
    '/server.js',
  ]
  for (const path of [...paths, '//etc/passwd', '/watch-page.js/..', '/updates/..', 'http://example.org/'])
    assert.equal((await send(url, path)).status, 404, path)
  for (const query of ['?../../x', '?0.0', '?0.0.%31', '?9999999999.0.0'])
    assert.equal((await send(url, `/updates${query}`)).status, 400, query)
  await assert.rejects(
    serveWatch(new Watch([root]), Number(port), () => {}),
    saying(`--port is ${port}`, 'in use', '0 for any that is free'),
  )
})

test('the page shows runs as they grow', { skip: chromium.missing }, async (t) => {
  const root = temporaryDirectory(t)
  writeRun(join(root, 'a'), 4)
  const other = { trustRegion: { ...config.trustRegion, delta: 0.03 }, about: { task: 'wind' } }
  writeRun(join(root, 'b'), 30, other, (k) => line(k).replace('"klUsed":0.009', '"klUsed":0.0001'))
  const url = await serveTest(t, root)
  const { page, errors } = await newPage(t, chromium)
  const requests: string[] = []
  page.on('console', (message) => errors.push(message.text()))
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(url)
  await page.waitForFunction(() => document.querySelectorAll('#runs tbody td').length === 20)
  const shown = () =>
    page.evaluate(() => {
      const text = (selector: string) =>
        [...document.querySelectorAll(selector)].map((found) => found.textContent)
      return {
        charts: document.querySelectorAll('.panel:not([hidden]) canvas').length,
        names: text('#runs tbody th'),
        environments: text('#runs tbody td:nth-child(4)'),
        marked: text('#differences mark'),
        findings: text('#findings *'),
        kl: document.querySelectorAll('.plot')[2].getAttribute('aria-label'),
      }
    }, null)
  const before = await shown()
  assert.deepEqual(before.names, ['a', 'b'])
  assert.deepEqual(before.environments, ['mamujoco/HalfCheetah-2x3', 'wind'])
  assert.deepEqual(before.marked, ['0.03'])
  assert.deepEqual(before.findings.slice(-1), ['Nothing to note in the other run.'])
  assert.match(before.findings.join(), /KL budget unused: agent_0 uses 1%/)
  assert.match(before.kl!, /^KL divergence, nats per update: 4 curves$/)
  // All but lengths of episodes and clipping, which the records lack.
  assert.equal(before.charts, PANELS.length - 2)
  await page.focus('.panel:not([hidden]) .plot')
  await page.keyboard.press('ArrowRight')
  await page.waitForFunction(() =>
    /^steps of all environments: .*b, training 1[57]0/.test(document.querySelector('.read-out')!.textContent),
  )
  await page.focus('#runs input[data-run="1"]')
  await page.keyboard.press('Space')
  await page.waitForFunction(() => document.querySelector('#differences mark') === null)
  appendFileSync(join(root, 'a/metrics.jsonl'), line(5))
  await page.waitForFunction(() =>
    document.querySelector('#runs .progress')!.textContent.includes('20K of 40K'),
  )
  assert.match((await shown()).kl!, /: 2 curves$/)
  assert.deepEqual(errors, [])
  assert.deepEqual([...new Set(requests.map((request) => new URL(request).origin))], [new URL(url).origin])
})
