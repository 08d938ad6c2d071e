import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { usageError } from '../errors.js'
import { episodeCount, wholeFlag } from './numbers.js'

interface EvalFlags {
  episodes: string
  seed: string
  workers?: string
  json?: boolean
  verbose?: boolean
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('Run the policies of a run or a bundle, deterministic actions, and print their return.')
    .argument('<run|bundle>', 'a run folder or an exported bundle')
    .option('--episodes <n>', 'episodes to run', '40')
    .option('--seed <n>', 'seed of the episodes', '1')
    .option('--workers <n>', 'threads that step environments, 0 for the main one alone')
    .option('--json', 'print everything as JSON')
    .addHelpText('after', '\nExample:\n  hatrpo eval runs/HalfCheetah-2x3-hatrpo-s1 --episodes 10')
    .action(async (source: string, flags: EvalFlags) => {
      const episodes = wholeFlag('--episodes', flags.episodes, 1, 1_000_000)
      const seed = wholeFlag('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER)
      const workers =
        flags.workers === undefined ? {} : { workers: wholeFlag('--workers', flags.workers, 0, 1024) }
      if (!existsSync(source)) throw usageError(`there is no run or bundle at ${JSON.stringify(source)}`)
      const { evaluate } = await import('../training/evaluate.js')
      const onEvent = (message: string, detail?: string) => {
        process.stderr.write(`${message}\n`)
        if (flags.verbose && detail !== undefined) process.stderr.write(`${detail}\n`)
      }
      const result = await evaluate({ source, episodes, seed, ...workers, onEvent })
      const { env, mean, sd } = result
      const line = `${env}: return ${mean.toFixed(1)} +- ${sd.toFixed(1)} over ${episodeCount(result.episodes)}`
      process.stdout.write(`${flags.json ? JSON.stringify(result) : line}\n`)
    })
}
