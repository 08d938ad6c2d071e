// Makes the first iteration of a run and prints a line of JSON (`FirstIteration`). It is a separate program, because it
// measures the time since the start and the memory of the process.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FirstIteration, FirstIterationTask } from './start.js'

const { config, workers, simd } = JSON.parse(process.argv[2]) as FirstIterationTask
// Loaded in the order of the command (cli/main.ts).
const { sharedMujoco } = await import('../envs/mujoco/compile.js')
void sharedMujoco()
const { train } = await import('../training/train.js')
const { temporaryFolder } = await import('../envs/temporary.js')
const folder = await temporaryFolder()
try {
  await train({
    config,
    dir: join(folder, 'run'),
    workers,
    simd,
    onIteration: ({ seconds, time }) => {
      // Milliseconds since the process started.
      const now = performance.now()
      const rollout = now - 1000 * seconds * time.learner
      const answer: FirstIteration = { rollout, memory: process.memoryUsage.rss() }
      process.stdout.write(`${JSON.stringify(answer)}\n`)
    },
  })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
