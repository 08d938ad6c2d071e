import { fileURLToPath } from 'node:url'

/** A file of test/golden/envs, from the compiled tests in dist/test/envs. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../../../test/golden/envs/${name}`, import.meta.url))
}
