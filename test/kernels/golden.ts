import { readFileSync } from 'node:fs'

/** An array of a golden file: flat data, row-major. */
export interface GoldenArray {
  readonly shape: number[]
  readonly data: number[]
}

/** A file of test/golden/harl, which the build leaves where it is. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../test/golden/harl/${name}`, import.meta.url), 'utf8')) as T
}
