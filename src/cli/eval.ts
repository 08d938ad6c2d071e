import { existsSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { HatrpoError, usageError } from '../errors.js'
import type { EvaluateResult } from '../training/evaluate.js'
import { expectFile } from './files.js'
import { checkpointFlag, episodeCount, wholeFlag } from './numbers.js'

interface EvalFlags {
  episodes: string
  seed: string
  checkpoint?: string
  env?: string
  sample?: boolean
  out?: string
  workers?: string
  json?: boolean
  verbose?: boolean
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('Evaluate the policies of a run or a bundle and print their return.')
    .argument('<run|bundle>', 'a run folder or an exported bundle')
    .option('--episodes <n>', 'episodes to run', '40')
    .option('--seed <n>', 'seed of the episodes', '1')
    .option('--checkpoint <which>', 'checkpoint of a run: latest, best or an iteration (default: latest)')
    .option(
      '--env <file|package>',
      'present location of the environment; its code must be that of the training',
    )
    .option('--sample', 'sample actions as in training instead of taking the most likely ones')
    .option('--workers <n>', 'threads that step environments; 0: only the main thread')
    .option('--json', 'print everything as JSON, with the return and the length of every episode')
    .option('--out <file>', 'write the same JSON to a file')
    .addHelpText(
      'after',
      `
Examples:
  hatrpo eval runs/HalfCheetah-2x3-hatrpo-s1 --episodes 10 --checkpoint best
  hatrpo eval policies --env ./envs/moved.ts --out returns.json`,
    )
    .action(async (source: string, flags: EvalFlags) => {
      const episodes = wholeFlag('--episodes', flags.episodes, 1, 1_000_000)
      const seed = wholeFlag('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER)
      const given = {
        ...(flags.workers !== undefined && { workers: wholeFlag('--workers', flags.workers, 0, 1024) }),
        ...(flags.checkpoint !== undefined && { checkpoint: checkpointFlag(flags.checkpoint) }),
        ...(flags.env !== undefined && { env: flags.env }),
      }
      if (flags.out !== undefined) expectFile(flags.out)
      if (!existsSync(source)) throw usageError(`there is no run or bundle at ${JSON.stringify(source)}`)
      const { evaluate } = await import('../training/evaluate.js')
      const onEvent = (message: string, detail?: string) => {
        process.stderr.write(`${message}\n`)
        if (flags.verbose && detail !== undefined) process.stderr.write(`${detail}\n`)
      }
      const result = await evaluate({
        source,
        episodes,
        seed,
        sample: flags.sample ?? false,
        ...given,
        onEvent,
      })
      if (flags.out !== undefined) writeResult(flags.out, result)
      process.stdout.write(`${flags.json ? JSON.stringify(result) : summary(result)}\n`)
    })
}

function summary({ env, mean, sd, returns, meanLength }: EvaluateResult): string {
  const episodes = `${episodeCount(returns.length)} of ${meanLength.toFixed(1)} steps`
  return `${env}: return ${mean.toFixed(1)} +- ${sd.toFixed(1)} over ${episodes}`
}

function writeResult(path: string, result: EvaluateResult): void {
  try {
    writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`)
  } catch (error) {
    throw new HatrpoError(
      `--out is ${JSON.stringify(path)}: it cannot be written (${(error as Error).message})`,
      {
        cause: error,
      },
    )
  }
}
