// Prints the digests of pinned runs that need nothing but an engine, as JSON.
//   print-pinned.js [SIMD NAME...]        (default: baseline and all of them)
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readMetrics } from '../../src/runs/metrics.js'
import { train, type EnvConfig, type SimdMode } from '../../src/index.js'
import { digests, ITERATIONS, pinnedRuns, portable, workersFor, type Digests } from './pinned-runs.js'
import { tinyConfig } from './runs.js'

const [simd = 'baseline', ...names] = process.argv.slice(2)

const folder = mkdtempSync(join(tmpdir(), 'hatrpo-'))
const results: Record<string, Digests> = {}
try {
  for (const name of names.length > 0 ? names : portable) {
    const { env, set } = pinnedRuns[name]
    const config = tinyConfig(env as EnvConfig, ITERATIONS, ...set)
    const result = await train({
      config,
      dir: join(folder, name),
      workers: workersFor(name),
      simd: simd as SimdMode,
    })
    results[name] = digests({ ...result, records: readMetrics(join(result.dir, 'metrics.jsonl')) })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(JSON.stringify(results))
