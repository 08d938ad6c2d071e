import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { serve } from './serve.js'

/** What tests use of a page of playwright-core. */
export interface Page {
  /** Runs a function in the page. It sees nothing of the test but `argument`. */
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>
  goto(url: string): Promise<unknown>
  textContent(selector: string): Promise<string | null>
  waitForFunction(holds: () => boolean): Promise<unknown>
  on(event: 'pageerror', listen: (error: Error) => void): void
}

interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: readonly string[] }): Promise<{
      newPage(): Promise<Page>
      close(): Promise<void>
    }>
  }
}

/** Chromium on this machine, with what drives it. */
export interface Chromium {
  readonly path: string
  readonly version: string
  /** False, or why it cannot be used: what node:test's `skip` takes. */
  readonly missing: false | string
}

/** Resolved by hand: the compiled tests lie where node_modules of test/hosts is not looked for. */
const playwright = new URL('../../../test/hosts/node_modules/playwright-core/index.mjs', import.meta.url)
const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** No sandbox, since continuous integration runs as root; and a browser that stays off the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * The Chromium that the system installed, driven by the playwright-core that `npm run hosts` installed.
 * @throws Error where HATRPO_TEST_HOSTS=required (as in continuous integration) and one is missing
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
 * Opens a page beside which the package and MuJoCo are served; it is closed when the test ends.
 * @param html of the page
 * @returns the page, and what went wrong in it that nobody caught
 */
export async function openPage(
  t: TestContext,
  { path }: Chromium,
  html: string,
): Promise<{ page: Page; errors: string[] }> {
  const { chromium } = (await import(playwright.href)) as Playwright
  const server = await serve(html)
  t.after(() => server.close())
  // Its profile is a new folder, deleted when it closes.
  const browser = await chromium.launch({ executablePath: path, args: FLAGS })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(server.url)
  return { page, errors }
}
