import { Argument, Command } from 'commander'
import { algorithms } from '../algorithms/table.js'

interface Entry {
  readonly id: string
  readonly description?: string
  readonly supported?: boolean
}

const devices: readonly Entry[] = [
  { id: 'wasm', supported: true },
  { id: 'cuda', supported: false },
  { id: 'tfjs', supported: false },
]

const lists: Record<string, () => Promise<readonly Entry[]>> = {
  envs: async () => (await import('../envs/index.js')).listEnvs(),
  algorithms: async () => Object.entries(algorithms).map(([id, row]) => ({ id, ...row })),
  devices: async () => devices,
}

export function listCommand(): Command {
  return new Command('list')
    .description('Print what there is to choose from.')
    .addArgument(new Argument('<what>', 'what to list').choices(Object.keys(lists)))
    .option('--json', 'print a JSON array of objects with an id')
    .addHelpText(
      'after',
      `
Not in the list, for they need files of yours: an environment of your own (--env ./my-env.ts), and
mamujoco/custom, a team of any MuJoCo model.

Example:
  hatrpo list envs`,
    )
    .action(async (what: string, { json }: { json?: boolean }) => {
      const entries = await lists[what]()
      process.stdout.write(`${json ? JSON.stringify(entries) : table(entries)}\n`)
    })
}

/** A line an entry: its id, and in a second column what it is. */
function table(entries: readonly Entry[]): string {
  const width = entries.reduce((widest, { id }) => Math.max(widest, id.length), 0)
  const line = ({ id, description, supported }: Entry) => {
    if (supported === false) return `${id} (not supported yet)`
    return description === undefined ? id : `${id.padEnd(width)}  ${description}`
  }
  return entries.map(line).join('\n')
}
