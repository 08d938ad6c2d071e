import { readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadEnvFactory, type EnvFactory } from '../envs/index.js'
import { findEnv, relativePaths } from '../envs/portable.js'
import { usageError } from '../errors.js'
import type { BundleInfo } from '../runtime/index.js'
import { loadNamedEnv } from './named-env.js'

/** Folders below the working directory that are searched at most. */
const SEARCHED = 2000

/**
 * Environment named by a bundle. Its files are searched for in the folder of the bundle and in all folders above it, in
 * the working directory and in the folders below it. If several match, the environment whose code the policies were
 * trained with is preferred; below the working directory no other is taken.
 * @param named where the environment is now
 * @throws HatrpoError (exit code 2) when the files are not found, or what the one that was found first throws
 */
export async function loadBundleEnv(
  bundle: string,
  { environment, environmentSha256 }: BundleInfo,
  named?: string,
): Promise<EnvFactory> {
  if (named !== undefined) return loadNamedEnv(named, { config: environment, sha256: environmentSha256 })
  const files = relativePaths(environment)
  if (files.length === 0) return loadEnvFactory(environment)
  const here = process.cwd()
  const seen = new Set<string>()
  let first: PromiseSettledResult<EnvFactory> | undefined
  const above = [...foldersFrom(realpathSync(bundle)), here]
  for (const folders of [above, foldersBelow(here)]) {
    for (const config of findEnv(environment, folders)) {
      const text = JSON.stringify(config)
      if (seen.has(text)) continue
      seen.add(text)
      const [outcome] = await Promise.allSettled([loadEnvFactory(config)])
      if (outcome.status === 'fulfilled' && outcome.value.sha256 === environmentSha256) return outcome.value
      // Below, a file of the same name may be anything.
      if (folders === above) first ??= outcome
    }
  }
  if (first?.status === 'fulfilled') return first.value
  if (first) throw first.reason
  const names = files.map((file) => file.replace(/^\.\//, '')).join(' and ')
  throw usageError(
    `bundle ${bundle}: there is no environment file ${names} in its folder, in a folder above it, or in or below ` +
      `${here}: name the file with --env FILE`,
  )
}

/** Folder and all its parents. */
function foldersFrom(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...foldersFrom(above)]
}

/** Folders of a project below its own, the highest first; neither hidden ones nor installed packages. */
function foldersBelow(top: string): string[] {
  const found: string[] = []
  for (let next = -1; next < found.length && found.length < SEARCHED; next++)
    found.push(...foldersIn(found[next] ?? top))
  return found.slice(0, SEARCHED)
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
      .map(({ name }) => join(folder, name))
      .sort()
  } catch {
    // Unreadable folders are not part of the project.
    return []
  }
}
