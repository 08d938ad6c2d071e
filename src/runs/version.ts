import { readFileSync } from 'node:fs'

const manifest = new URL('../../../package.json', import.meta.url)

/** The version of this package: part of what decides a run's bits. */
export const packageVersion = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
