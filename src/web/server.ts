import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HatrpoError, usageError } from '../errors.js'
import { CODE } from '../place.js'
import { parseSeen } from './updates.js'
import type { Watch } from './watch.js'

const ADDRESS = '127.0.0.1'

/** Names of this machine. A page of another site that has its own name resolved to this machine sends that name. */
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i

/** Sent with every answer: the page loads from this server alone and runs no other script or style. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
}

/** Files of the page, by the path of their request. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['watch-page.html', 'text/html; charset=utf-8'],
  '/watch-page.js': ['watch-page.js', 'text/javascript; charset=utf-8'],
  '/watch-page.css': ['watch-page.css', 'text/css; charset=utf-8'],
  '/watch-page.svg': ['watch-page.svg', 'image/svg+xml'],
}

/** Server of the page and of new records of the runs. */
export interface WatchServer {
  readonly url: string
  close(): void
}

/**
 * Starts the server, which only this machine can reach.
 * @param port 0 for any free port
 * @param onError called for a failed response
 * @throws HatrpoError for a port that is in use or reserved (exit code 2)
 */
export async function serveWatch(
  watch: Watch,
  port: number,
  onError: (error: unknown) => void,
): Promise<WatchServer> {
  const files = new Map(
    Object.entries(FILES).map(([path, [file, type]]) => [
      path,
      { type, body: readFileSync(new URL(`../web/${file}`, CODE)) },
    ]),
  )
  const server = createServer((request, response) => {
    try {
      answer(request, response, watch, files)
    } catch (error) {
      onError(error)
      if (!response.headersSent) send(request, response, 500, 'text/plain', 'the run folders cannot be read')
    }
  })
  await listen(server, port)
  return {
    url: `http://${ADDRESS}:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve).once('error', (error: NodeJS.ErrnoException) => {
      const why = { EADDRINUSE: 'it is in use', EACCES: 'it is reserved for the system' }[error.code ?? '']
      reject(
        why === undefined
          ? new HatrpoError(`cannot listen on ${ADDRESS}:${port}: ${error.message}`, { cause: error })
          : usageError(`--port is ${port}: ${why}; name another, or 0 for any that is free`),
      )
    })
    server.listen(port, ADDRESS)
  })
}

type Files = ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>

function answer(request: IncomingMessage, response: ServerResponse, watch: Watch, files: Files): void {
  const refuse = (status: number, text: string) => send(request, response, status, 'text/plain', `${text}\n`)
  if (!LOCAL.test(request.headers.host ?? '')) return refuse(403, 'the host must be localhost or 127.0.0.1')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return refuse(405, 'the method must be GET or HEAD')
  }
  // Paths are compared without decoding, so encoded dots and slashes have no meaning.
  const [path, query, ...rest] = (request.url ?? '').split('?')
  const file = files.get(path)
  if (file && query === undefined) return send(request, response, 200, file.type, file.body)
  if (path !== '/updates' || rest.length > 0) return refuse(404, 'there is no such page')
  const seen = parseSeen(query ?? '')
  if (!seen) return refuse(400, 'the query must be a list of run.generation.rows, such as 0.0.150,3.1.0')
  send(request, response, 200, 'application/json', JSON.stringify(watch.updates(seen)))
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'content-length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}
