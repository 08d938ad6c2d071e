import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as envs from '../../src/envs/index.js'
import * as runtime from '../../src/runtime/index.js'
import * as library from '../../src/index.js'
import { findChromium, openPage } from '../hosts/chromium.js'
import { documents, root } from './blocks.js'

const typedoc = join(root, 'docs/site/node_modules/typedoc/bin/typedoc')
const skip = existsSync(typedoc) ? false : 'not installed: npm run docs:site'
const chromium = findChromium()
let site = ''
/** Pages by path, and their HTML. */
const pages = new Map<string, string>()

before(() => {
  if (skip !== false) return
  site = mkdtempSync(join(tmpdir(), 'hatrpo-site-'))
  const args = [typedoc, '--options', join(root, 'docs/site/typedoc.json'), '--out', site]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
  for (const name of readdirSync(site, { recursive: true }).map(String))
    if (name.endsWith('.html')) pages.set(join(site, name), readFileSync(join(site, name), 'utf8'))
})

after(() => site !== '' && rmSync(site, { recursive: true }))

test('the site has every document and every export, and its links lead somewhere', { skip }, () => {
  const text = [...pages.values()].join('\n')
  for (const document of documents().filter((path) => path !== 'README.md')) {
    const [, title] = /^# (.+)$/m.exec(readFileSync(join(root, document), 'utf8'))!
    assert.ok(text.includes(`<title>${title.replaceAll('`', '')} | hatrpo</title>`), document)
  }
  for (const name of [library, envs, runtime].flatMap((module) => Object.keys(module)))
    assert.ok(text.includes(`<title>${name} | hatrpo</title>`), name)
  let links = 0
  for (const [page, html] of pages) {
    for (const [, kind, url] of html.matchAll(/(href|src)="([^"]+)"/g)) {
      if (/^(https?|data|mailto):/.test(url)) {
        assert.equal(kind, 'href', `${page} loads ${url}`)
        continue
      }
      const [path, anchor] = decodeURIComponent(url).split('#')
      const target = path === '' ? page : join(dirname(page), path)
      assert.ok(existsSync(target), `${page}: ${url}`)
      if (anchor && target.endsWith('.html'))
        assert.ok(pages.get(target)!.includes(`id="${anchor}"`), `${page}: ${url}`)
      links++
    }
  }
  assert.ok(links > 1000)
})

test('the search works from the disk, without a server', { skip: skip || chromium.missing }, async (t) => {
  const { page, errors } = await openPage(t, chromium, '')
  await page.goto(pathToFileURL(join(site, 'index.html')).href)
  await page.evaluate(() => {
    document.querySelector<HTMLElement>('#tsd-search-trigger')!.click()
    const input = document.querySelector<HTMLInputElement>('#tsd-search-input')!
    input.value = 'preconditioner'
    input.dispatchEvent(new Event('input'))
  }, undefined)
  await page.waitForFunction(() => document.querySelector('#tsd-search-results a') !== null)
  assert.match((await page.textContent('#tsd-search-results'))!, /Fewer Fisher products/)
  assert.deepEqual(errors, [])
})
