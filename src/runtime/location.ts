/** Used part of Node's `process`, which Bun and Deno also have. */
interface Process {
  getBuiltinModule(name: 'node:path'): { resolve(path: string): string }
  getBuiltinModule(name: 'node:url'): { pathToFileURL(path: string): URL }
  getBuiltinModule(name: 'node:fs/promises'): { readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> }
}

/** The process, on hosts with a disk; undefined in a page, a web worker and on most edge workers. */
function processWithDisk(): Process | undefined {
  const { process } = globalThis as { process?: Partial<Process> }
  return typeof process?.getBuiltinModule === 'function' ? (process as Process) : undefined
}

/** Base of relative URLs: the page, or the script of a web worker; otherwise undefined. */
function pageUrl(): string | undefined {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } }
  return document?.baseURI ?? location?.href
}

/**
 * URL of a file: an absolute URL unchanged, any other text relative to the page or, without a page, as a path from the
 * working directory.
 * @throws TypeError for text that is not a URL, without a page and a disk
 */
export function locate(source: string | URL): URL {
  if (typeof source !== 'string') return new URL(source)
  // One letter before the colon is a drive.
  if (/^[a-z][a-z\d+.-]+:/i.test(source)) return new URL(source)
  const page = pageUrl()
  const process = page === undefined ? processWithDisk() : undefined
  if (process === undefined) return new URL(source, page)
  const { resolve } = process.getBuiltinModule('node:path')
  return process.getBuiltinModule('node:url').pathToFileURL(resolve(source))
}

/** Reads a URL: a file: URL from the disk, any other by `fetch`. */
export async function read(url: URL): Promise<Response | Uint8Array<ArrayBuffer>> {
  const process = url.protocol === 'file:' ? processWithDisk() : undefined
  return process === undefined ? fetch(url) : process.getBuiltinModule('node:fs/promises').readFile(url)
}
