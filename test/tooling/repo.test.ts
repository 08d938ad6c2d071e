import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join, posix } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Manifest {
  license: string
  files: string[]
  bin: Record<string, string>
  exports: Record<string, string | Record<string, string>>
  scripts: Record<string, string>
  engines: { node: string }
}
const manifest = JSON.parse(read('package.json')) as Manifest

const git = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
const noGit = git.status === 0 ? false : 'not a git checkout'
const tracked =
  git.status === 0 ? git.stdout.split('\0').filter((path) => path && existsSync(join(root, path))) : []

test('the lock files name no host that packages came from', { skip: noGit }, () => {
  const locks = tracked.filter((path) => /(^|\/)package-lock\.json$/.test(path))
  assert.ok(locks.length > 2 && locks.includes('package-lock.json'))
  for (const lock of locks) {
    const { packages } = JSON.parse(read(lock)) as { packages: Record<string, Record<string, unknown>> }
    assert.ok(Object.keys(packages).length > 2, lock)
    for (const [name, entry] of Object.entries(packages)) {
      assert.ok(!('resolved' in entry), `${lock}: ${name} has "resolved"`)
      if (name !== '' && entry['link'] !== true)
        assert.ok(entry['integrity'], `${lock}: ${name} has no "integrity"`)
    }
  }
})

test('no tracked file names a package registry or a credential for one', { skip: noGit }, () => {
  const host = /https?:\/\/[^\s"'/]*(registry|artifactory|nexus|verdaccio|mirror|proxy)[^\s"'/]*/i
  const setting = /^\s*(@[\w-]+:)?registry\s*=|_auth(Token)?\s*=/im
  assert.ok(tracked.length > 10)
  for (const path of tracked) {
    if (!statSync(join(root, path)).isFile()) continue
    const text = read(path)
    assert.doesNotMatch(text, host, path)
    assert.doesNotMatch(text, setting, path)
  }
})

test('the formatter covers every tracked file of a kind it knows', { skip: noGit }, (t) => {
  const own = /^(test\/golden\/|docs\/results\/)|(^|\/)package-lock\.json$|\.md$/
  const kinds = ['.ts', '.cts', '.mts', '.js', '.mjs', '.cjs', '.json', '.html', '.css', '.yml', '.yaml']
  const code = tracked.filter((path) => kinds.includes(extname(path)) && !own.test(path))
  assert.ok(code.length > 10 && code.includes('.oxfmtrc.json'))
  // Copies, also of the formatter's configuration, that end with empty lines, which the formatter removes.
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-format-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const path of code) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), `${read(path)}\n\n`)
  }
  const oxfmt = join(root, 'node_modules/oxfmt/bin/oxfmt')
  const { stdout } = spawnSync(process.execPath, [oxfmt, '--list-different'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const formatted = new Set(stdout.replaceAll('\\', '/').split(/\r?\n/))
  assert.deepEqual(
    code.filter((path) => !formatted.has(path)),
    [],
  )
})

test('no hand-written source file of the package is longer than 400 lines', { skip: noGit }, () => {
  const sources = tracked.filter((path) => path.startsWith('src/') && !path.includes('/generated/'))
  assert.ok(sources.some((path) => path.endsWith('.py')) && sources.length > 100)
  const long = sources.filter((path) => read(path).split('\n').length - 1 > 400)
  assert.deepEqual(long, [])
})

test('the licence is Apache-2.0, in full', () => {
  assert.equal(manifest.license, 'Apache-2.0')
  const text = read('LICENSE')
  for (const part of [
    'Apache License',
    'Version 2.0, January 2004',
    '9. Accepting Warranty',
    'END OF TERMS',
  ]) {
    assert.ok(text.includes(part), part)
  }
})

test('the package contains the files of its entry points, and no tests', () => {
  // Folders, and patterns with ** for folders and * in names.
  const patterns = manifest.files.map((part) => {
    const source = part
      .replaceAll('.', '\\.')
      .replace('**/', '(?:.+/)?')
      .replace(/\*(?=\\)/, '[^/]*')
    return new RegExp(`^\\./${source}(?:/|$)`)
  })
  const published = (path: string): boolean => patterns.some((pattern) => pattern.test(path))
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  )
  const files = [...entries, ...Object.values(manifest.bin).map((path) => `./${path}`)]
  for (const path of files.filter((name) => name !== './package.json')) assert.ok(published(path), path)
  for (const part of ['src/training/train.d.ts', 'src/envs/pettingzoo/host.py', 'assembly/kernels.wasm']) {
    assert.ok(existsSync(join(root, 'dist', part)) && published(`./dist/${part}`), part)
  }
  for (const part of ['dist/lib', 'CHANGELOG.md']) {
    assert.ok(manifest.files.includes(part), part)
  }
  assert.ok(!published('./dist/test/a.js'))
  assert.ok(!published('./dist/bench/a.js'))
  // The command and the library are in dist/lib.
  assert.ok(!published('./dist/src/training/train.js'))
})

test('the changelog has an entry for the version of the package or for unreleased changes', () => {
  assert.match(read('CHANGELOG.md'), /^## \[(Unreleased|\d+\.\d+\.\d+)\]/m)
})

test('relative links in the documents have targets', { skip: noGit }, () => {
  const documents = tracked.filter((path) => path.endsWith('.md') && !path.startsWith('test/golden/'))
  for (const document of documents) {
    const text = read(document).replace(/<!--.*?-->/gs, '')
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1])
    for (const link of links) {
      assert.ok(existsSync(join(root, document, '..', link)), `${document}: ${link}`)
      // npm's page and a site resolve links from the document, within the repository.
      const place = posix.normalize(posix.join(document, '..', link))
      assert.ok(!link.startsWith('/') && !place.startsWith('..'), `${document}: ${link} leads out of it`)
    }
  }
})

test('the commands that the documents name exist, and run scripts that exist', () => {
  for (const document of ['README.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md']) {
    const named = read(document).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)
    for (const [, name] of named) assert.ok(name in manifest.scripts, `${document}: npm run ${name}`)
  }
  for (const name of ['golden', 'golden-envs']) assert.ok(name in manifest.scripts, `npm run ${name}`)
  for (const [name, line] of Object.entries(manifest.scripts)) {
    for (const [, script] of line.matchAll(/\bnode (\S+)/g)) {
      assert.ok(existsSync(join(root, script)), `npm run ${name}: ${script}`)
    }
  }
})

test('the folders that CONTRIBUTING names exist', () => {
  for (const [, path] of read('CONTRIBUTING.md').matchAll(/`([a-z][\w/.-]*\/)`/g)) {
    assert.ok(existsSync(join(root, path)), path)
  }
})
