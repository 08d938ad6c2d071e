import { Command } from 'commander'
import { trainableAlgorithms } from '../algorithms/parts.js'
import { algorithmNames, algorithms } from '../algorithms/table.js'
import { listPresets } from '../config/index.js'
import { usageError } from '../errors.js'
import { didYouMean } from '../text/nearest.js'

interface Entry {
  readonly id: string
  readonly description?: string
  readonly source?: string
  readonly supported?: boolean
  /** Why it cannot be used on this machine. */
  readonly reason?: string | null
  /** Further entries, which belong to this one. */
  readonly variants?: readonly Entry[]
}

const lists: Record<string, () => Promise<readonly Entry[]>> = {
  envs: async () => (await import('../envs/index.js')).listEnvs(),
  algorithms: async () =>
    algorithmNames.map((id) => ({ id, ...algorithms[id], supported: trainableAlgorithms.includes(id) })),
  presets: async () => listPresets(),
  devices: async () => (await import('../devices/open.js')).listDevices(),
}

export function listCommand(): Command {
  return new Command('list')
    .description('List the environments, the algorithms, the presets or the devices.')
    .argument('<what>', Object.keys(lists).join(', '))
    .option('--json', 'print a JSON array of objects with an id')
    .addHelpText(
      'after',
      `
Environments that need your files are not listed: modules such as --env ./my-env.ts, and mamujoco/custom, a team of any
MuJoCo model.

Examples:
  hatrpo list envs
  hatrpo list presets --json`,
    )
    .action(async (what: string, { json }: { json?: boolean }) => {
      const names = Object.keys(lists)
      if (!names.includes(what))
        throw usageError(
          `list is ${JSON.stringify(what)}: it must be one of ${names.join(', ')}${didYouMean(what, names)}`,
        )
      const entries = await lists[what]()
      process.stdout.write(`${json ? JSON.stringify(entries) : table(entries)}\n`)
    })
}

/** One line per entry: its id and, in a second column, its description, its source and why it cannot be used here. */
function table(listed: readonly Entry[]): string {
  const entries = listed.flatMap(({ variants = [], ...entry }) => [entry, ...variants])
  const width = entries.reduce((widest, { id }) => Math.max(widest, id.length), 0)
  const line = ({ id, description, source, supported, reason }: Entry) => {
    if (supported === false && !reason) return `${id} (not supported yet)`
    const note = source ?? (reason ? `not usable: ${reason}` : '')
    return description === undefined ? id : `${id.padEnd(width)}  ${description}${note && ` (${note})`}`
  }
  return entries.map(line).join('\n')
}
