import { Command } from 'commander'
import { completeEnv, describeValues, resolveConfig, type DescribedValue } from '../config/index.js'
import { configSources, withTaskFlags, withValueFlags, type ConfigFlags } from './config-flags.js'

export function configCommand(): Command {
  const command = withTaskFlags(
    new Command('config').description('Print the configuration of a run and the origin of each value.'),
  ).option('--envs <n>', 'environments stepped side by side (default: 20)')
  return withValueFlags(command)
    .option('--json', 'print a JSON object of `config`, as in config.json, and `values` with their origins')
    .addHelpText(
      'after',
      `
Values come from, in order of increasing precedence: the defaults, the settings tuned for the task, the preset, the file, and flags.
docs/configuration.md explains the keys.

Examples:
  hatrpo config --env mamujoco/Hopper-3x1 --algo hatrpo --preset harl --set gamma=0.98
  hatrpo config --config runs/Hopper-3x1-hatrpo-s1/config.json --json`,
    )
    .action(async ({ json, ...flags }: ConfigFlags & { json?: boolean }) => {
      const resolved = await completeEnv(resolveConfig(configSources(flags)))
      const { config } = resolved
      const values = describeValues(resolved)
      if (json) {
        process.stdout.write(`${JSON.stringify({ config, values })}\n`)
        return
      }
      const read = values.filter(({ unread }) => unread === undefined)
      process.stdout.write(`${table(read)}\n`)
      const others = values.length - read.length
      if (others > 0)
        process.stderr.write(
          `${others} keys that this configuration never reads are omitted (--json lists them)\n`,
        )
    })
}

/** One line per value: its key, the value as `--set` takes it, and its origin. */
function table(values: readonly DescribedValue[]): string {
  const rows = [
    ['key', 'value', 'unit', 'from', 'source'],
    ...values.map(({ key, value, unit, origin }) => [
      key,
      text(value),
      unit ?? '',
      `${origin.from}${origin.name === undefined ? '' : ` ${origin.name}`}`,
      origin.source ?? '',
    ]),
  ]
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function text(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value)
}
