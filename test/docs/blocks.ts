import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Code block of a document. */
export interface Block {
  /** Path of the document in the repository. */
  readonly document: string
  /** Line of the block's beginning, from 1. */
  readonly line: number
  /** Language after the opening fence; empty if there is none. */
  readonly language: string
  readonly code: string
}

/** Code blocks of one document. */
export function blocksOf(document: string): Block[] {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/^( *)```(.*)\n([^]*?)^\1```$/gm)].map(({ index, 2: language, 3: code }) => ({
    document,
    line: text.slice(0, index).split('\n').length,
    language: language.trim(),
    code,
  }))
}

/** Documents that users read: those at the root, in docs/ and in examples/. */
export function documents(): string[] {
  const pages = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((path) => `${folder}/${String(path).replaceAll('\\', '/')}`)
      .filter((path) => path.endsWith('.md') && !path.includes('/node_modules/'))
  const first = readdirSync(root).filter((path) => path.endsWith('.md'))
  return [...first, ...pages('docs'), ...pages('examples')].sort()
}
