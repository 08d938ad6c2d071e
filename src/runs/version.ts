import { readFileSync } from 'node:fs'
import { CODE } from '../place.js'

const manifest = new URL('../../package.json', CODE)

/** The version of this package: part of what decides a run's bits. */
export const packageVersion = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
