import { Command, type Option } from 'commander'

/** Arguments of the commands that check golden files. */
export interface GoldenArguments {
  readonly files: readonly string[]
  /** Print one JSON object per quantity instead of a table. */
  readonly json: boolean
  /** Let quantities pass whose bound is wider than the file suggests. */
  readonly acceptWider: boolean
}

/**
 * Parses the arguments that follow the script's name; prints help or a usage error and exits where they ask for it.
 * @param extra options of this command alone
 */
export function parseGoldenArguments<Extra = object>(
  name: string,
  description: string,
  argv: readonly string[],
  extra: readonly Option[] = [],
): GoldenArguments & Extra {
  const command = new Command(name)
    .description(description)
    .argument('<files...>', 'golden files')
    .option('--json', 'print {file, quantity, maxAbs, bound}, one line each', false)
    .option('--accept-wider', 'accept bounds wider than the files suggest', false)
    .addHelpText('after', `\nExample:\n  npm run --silent ${name} -- FILE.json --json`)
    .exitOverride((stop) => process.exit(stop.exitCode === 0 ? 0 : 2))
  for (const option of extra) command.addOption(option)
  command.parse([...argv], { from: 'user' })
  return { files: command.args, ...command.opts<Omit<GoldenArguments, 'files'> & Extra>() }
}
