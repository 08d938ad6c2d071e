import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { serve } from './serve.js'

/** Part of the page of playwright-core that tests use. */
export interface Page {
  /** Runs a function in the page. Of the test, the function can access `argument` only. */
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>
  goto(url: string): Promise<unknown>
  textContent(selector: string): Promise<string | null>
  waitForFunction(holds: () => boolean): Promise<unknown>
  focus(selector: string): Promise<void>
  readonly keyboard: { press(key: string): Promise<void> }
  on(event: 'pageerror', listen: (error: Error) => void): void
  on(event: 'console', listen: (message: { type(): string; text(): string }) => void): void
  on(event: 'request', listen: (request: { url(): string }) => void): void
}

interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: readonly string[] }): Promise<{
      newPage(): Promise<Page>
      close(): Promise<void>
    }>
  }
}

/** Chromium on this machine, driven by playwright-core. */
export interface Chromium {
  readonly path: string
  readonly version: string
  /** False, or the reason why Chromium cannot be used, for `skip` of node:test. */
  readonly missing: false | string
}

/** URL instead of a package name: Node does not search node_modules of test/hosts for the compiled tests. */
const playwright = new URL('../../../test/hosts/node_modules/playwright-core/index.mjs', import.meta.url)
const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** Flags. No sandbox, because continuous integration runs as root, and no network access in the background. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Chromium of the system, driven by the playwright-core that `npm run hosts` installs.
 * @throws Error when one is missing and HATRPO_TEST_HOSTS=required (as in continuous integration)
 */
export function findChromium(): Chromium {
  for (const path of existsSync(playwright) ? CANDIDATES : []) {
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    if (status === 0) return { path, version: stdout.trim(), missing: false }
  }
  const why = existsSync(playwright)
    ? `Chromium is missing: none of ${CANDIDATES.join(', ')} runs`
    : 'playwright-core is not installed: npm run hosts'
  if (process.env['HATRPO_TEST_HOSTS'] === 'required') throw new Error(`HATRPO_TEST_HOSTS: ${why}`)
  return { path: '', version: '', missing: why }
}

/**
 * Opens a page, served together with the package and MuJoCo. The page is closed when the test ends.
 * @param html content of the page
 * @param folder absolute path of further files for the page
 * @returns the page and its uncaught errors
 */
export async function openPage(
  t: TestContext,
  chromium: Chromium,
  html: string,
  folder?: string,
): Promise<{ page: Page; errors: string[] }> {
  const server = await serve(html, folder)
  t.after(() => server.close())
  const { page, errors } = await newPage(t, chromium)
  await page.goto(server.url)
  return { page, errors }
}

/** An empty page, and its uncaught errors. It is closed when the test ends. */
export async function newPage(t: TestContext, { path }: Chromium): Promise<{ page: Page; errors: string[] }> {
  const { chromium } = (await import(playwright.href)) as Playwright
  // The profile is a new folder, deleted when the browser closes.
  const browser = await chromium.launch({ executablePath: path, args: FLAGS })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  return { page, errors }
}
