import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compareRuns } from '../../src/report/compare.js'
import { htmlPage } from '../../src/report/html.js'
import { findChromium, newPage } from '../hosts/chromium.js'
import { temporaryDirectory } from '../runs/fixtures.js'

const results = fileURLToPath(new URL('../../../docs/results', import.meta.url))
const chromium = findChromium()

test(
  'a comparison of two tasks is a page that Chromium shows whole',
  { skip: chromium.missing },
  async (t) => {
    const comparison = compareRuns({ runs: [results], resamples: 500 })
    const { tasks, overall } = comparison
    assert.ok(tasks.length > 1 && overall !== null)
    const url = pathToFileURL(join(temporaryDirectory(t), 'comparison.html'))
    writeFileSync(url, htmlPage(comparison))
    const { page, errors } = await newPage(t, chromium)
    const requests: string[] = []
    page.on('console', (message) => errors.push(message.text()))
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(url.href)
    const shown = await page.evaluate(() => {
      const boxes = (selector: string) =>
        [...document.querySelectorAll(selector)].map((found) => {
          const { width, height } = found.getBoundingClientRect()
          return { width, height, text: found.textContent }
        })
      const line = document.querySelector('svg polyline.line')!
      return {
        pictures: boxes('figure svg[role="img"]'),
        tables: boxes('table'),
        headings: boxes('h2').map(({ text }) => text),
        // The page's own style sheet, which its policy has to allow.
        stroke: getComputedStyle(line).stroke,
      }
    }, null)
    assert.ok(shown.pictures.length > 2, `${shown.pictures.length} pictures`)
    for (const { width, height } of [...shown.pictures, ...shown.tables])
      assert.ok(width > 100 && height > 20, `${width} x ${height}`)
    for (const { task, methods } of tasks) {
      assert.ok(shown.headings.includes(task), shown.headings.join())
      for (const { method } of methods) assert.ok(shown.tables.some(({ text }) => text.includes(method)))
    }
    assert.match(shown.stroke, /^rgb\((?!0, 0, 0\))/)
    assert.deepEqual(errors, [])
    assert.deepEqual(requests, [url.href])
  },
)
