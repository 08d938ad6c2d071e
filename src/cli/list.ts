import { Argument, Command } from 'commander'
import { trainableAlgorithms } from '../algorithms/parts.js'
import { algorithmNames, algorithms } from '../algorithms/table.js'

interface Entry {
  readonly id: string
  readonly description?: string
  readonly supported?: boolean
}

const lists: Record<string, () => Promise<readonly Entry[]>> = {
  envs: async () => (await import('../envs/index.js')).listEnvs(),
  algorithms: async () =>
    algorithmNames.map((id) => ({ id, ...algorithms[id], supported: trainableAlgorithms.includes(id) })),
  devices: async () => (await import('../devices/open.js')).listDevices(),
}

export function listCommand(): Command {
  return new Command('list')
    .description('List the environments, the algorithms or the devices.')
    .addArgument(new Argument('<what>', 'what to list').choices(Object.keys(lists)))
    .option('--json', 'print a JSON array of objects with an id')
    .addHelpText(
      'after',
      `
Environments that need files of yours are not listed: one of your own (--env ./my-env.ts), and mamujoco/custom, a team
of any MuJoCo model.

Example:
  hatrpo list envs`,
    )
    .action(async (what: string, { json }: { json?: boolean }) => {
      const entries = await lists[what]()
      process.stdout.write(`${json ? JSON.stringify(entries) : table(entries)}\n`)
    })
}

/** One line per entry: its id and, in a second column, its description. */
function table(entries: readonly Entry[]): string {
  const width = entries.reduce((widest, { id }) => Math.max(widest, id.length), 0)
  const line = ({ id, description, supported }: Entry) => {
    if (supported === false) return `${id} (not supported yet)`
    return description === undefined ? id : `${id.padEnd(width)}  ${description}`
  }
  return entries.map(line).join('\n')
}
