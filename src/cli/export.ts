import { Command } from 'commander'
import { usageError } from '../errors.js'
import { expectedFormat, exportFormats, type ExportFormat } from '../export/formats.js'
import { readRunConfig } from '../runs/folder.js'
import { checkpointFlag } from './numbers.js'

interface ExportFlags {
  out: string
  format: string
  checkpoint: string
}

function parseFormat(format: string): ExportFormat {
  const known = exportFormats.find((name) => name === format)
  if (known) return known
  throw usageError(`--format is ${JSON.stringify(format)}: it must be ${expectedFormat(format)}`)
}

export function exportCommand(): Command {
  return new Command('export')
    .description("Write each agent's policy as a file that runs without this package.")
    .argument('<run>', 'a run folder')
    .requiredOption('--out <dir>', 'where to write the bundle')
    .option('--format <name>', exportFormats.join(', '), exportFormats[0])
    .option('--checkpoint <which>', 'latest, best or an iteration', 'latest')
    .addHelpText(
      'after',
      '\nExample:\n  hatrpo export runs/HalfCheetah-2x3-hatrpo-s1 --out cheetah --checkpoint best',
    )
    .action(async (run: string, flags: ExportFlags) => {
      const format = parseFormat(flags.format)
      const checkpoint = checkpointFlag(flags.checkpoint)
      readRunConfig(run)
      const { exportPolicies } = await import('../training/export.js')
      const { out, files } = await exportPolicies({ run, out: flags.out, format, checkpoint })
      const lines = files.map(({ name, bytes }) => `${out}/${name} ${bytes} bytes\n`)
      process.stdout.write(lines.join(''))
    })
}
