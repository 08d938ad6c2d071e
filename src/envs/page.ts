// Replacements in web pages for the modules that need Node. The build for pages (scripts/join-pages.mjs) redirects
// their dynamic imports to this module.
import { usageError } from '../errors.js'
import type * as bundleSources from './bundle-source.js'
import type * as importBundles from './import-bundle.js'
import type * as disk from './mujoco/disk.js'
import type * as optimised from './mujoco/optimised.js'
import type * as python from './pettingzoo/factory.js'
import type * as custom from './team/custom.js'

function refuse(what: string, instead: string): () => never {
  return () => {
    throw usageError(`${what} need Node: in a page, ${instead}`)
  }
}

const refuseModules = refuse('environments from files and packages', 'import the module that makes one')

export const bundleSource: typeof bundleSources.bundleSource = refuseModules
export const importCode: typeof importBundles.importCode = refuseModules
export const loadModelFile: typeof disk.loadModelFile = refuse(
  'models from files',
  'choose another environment',
)
export const loadPettingZooFactory: typeof python.loadPettingZooFactory = refuse(
  'Python environments',
  'choose another environment',
)
export const loadCustomTeam: typeof custom.loadCustomTeam = refuse(
  'teams from files',
  'choose another environment',
)
/** A page has no cache of files. */
export const readOptimised: typeof optimised.readOptimised = () => undefined
