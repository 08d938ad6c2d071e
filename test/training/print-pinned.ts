// Prints the digests of the pinned runs that need nothing but an engine, as JSON.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readMetrics } from '../../src/runs/metrics.js'
import { train, type EnvConfig } from '../../src/index.js'
import { digests, ITERATIONS, pinnedRuns, portable, type Digests } from './pinned-runs.js'
import { tinyConfig } from './runs.js'

const folder = mkdtempSync(join(tmpdir(), 'hatrpo-'))
const results: Record<string, Digests> = {}
try {
  for (const name of portable) {
    const { env, set } = pinnedRuns[name]
    const config = tinyConfig(env as EnvConfig, ITERATIONS, ...set)
    const result = await train({ config, dir: join(folder, name), workers: 2 })
    results[name] = digests({ ...result, records: readMetrics(join(result.dir, 'metrics.jsonl')) })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(JSON.stringify(results))
