import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Line that names the missing packages of a device and the command that installs them, or null if none is missing. */
export function missingPackages(names: readonly string[]): string | null {
  const missing = names.filter((name) => !isInstalled(name))
  if (missing.length === 0) return null
  const subject = missing.length === 1 ? `package ${missing[0]} is` : `packages ${missing.join(' and ')} are`
  return `${subject} not installed: npm install ${names.join(' ')}`
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/** Loads a CommonJS package, typed as the part of it that is used. */
export function loadPackage<Package>(name: string): Package {
  return require(name) as Package
}
