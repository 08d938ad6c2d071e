import { readFileSync } from 'node:fs'

/** Array of a golden file, with flat row-major data. */
export interface GoldenArray {
  readonly shape: number[]
  readonly data: number[]
}

/** File of test/golden/harl. The build does not copy these files. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../test/golden/harl/${name}`, import.meta.url), 'utf8')) as T
}
