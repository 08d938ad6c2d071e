import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const root = new URL('../../../', import.meta.url)
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' }

/**
 * Serves a page, this package and MuJoCo to this machine only, as in a project with both packages installed.
 * @param page HTML
 * @param folder absolute path of further files for the page
 */
export async function serve(page: string, folder?: string): Promise<{ url: string; close(): void }> {
  const server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    if (pathname === '/') response.writeHead(200, { 'content-type': 'text/html' }).end(page)
    else void sendFile(pathname, folder, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function sendFile(path: string, folder: string | undefined, response: ServerResponse): Promise<void> {
  const file = path.replace(/^\/node_modules\/hatrpo\/(?=dist\/)/, '/')
  const served = /^\/(dist|node_modules\/@mujoco\/mujoco)\/[\w./-]+$/.test(file)
  const place = served ? new URL(`.${file}`, root) : folder && join(folder, path)
  const body = place ? await readFile(place).catch(() => undefined) : undefined
  if (body === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(body)
}
