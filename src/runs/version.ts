import { readFileSync } from 'node:fs'
import { HatrpoError } from '../errors.js'
import { CODE } from '../place.js'

/**
 * The version in the package's manifest.
 * @throws HatrpoError when the manifest is not where it is beside this code
 */
function readVersion(): string {
  try {
    const manifest = new URL('../../package.json', CODE)
    const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, string>
    if (name === 'hatrpo') return version
  } catch {
    // Other code's manifest, or none.
  }
  throw new HatrpoError(
    'hatrpo has been bundled: it starts threads and loads code from its own files and must be left out of the ' +
      'bundle (esbuild --external:hatrpo, webpack externals, Vite ssr.external, Rollup external)',
  )
}

/** The version of this package: part of what decides a run's bits. */
export const packageVersion = readVersion()
