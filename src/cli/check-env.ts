import { Command } from 'commander'
import type {
  ActionSpace,
  CheckReport,
  EnvConfig,
  EnvContext,
  EpisodeSummary,
  Finding,
} from '../envs/index.js'
import { usageError } from '../errors.js'
import { parseValue } from '../config/index.js'
import { Busy } from './busy.js'
import { wholeFlag } from './numbers.js'

interface CheckFlags {
  episodes: string
  seed: string
  set?: string[]
  json?: boolean
}

export function checkEnvCommand(): Command {
  return new Command('check-env')
    .description('Run an environment with random actions and report its faults.')
    .argument('<id|file>', 'an environment (hatrpo list envs), a file or an installed package')
    .option('--episodes <n>', 'episodes to run', '3')
    .option('--seed <n>', 'seed of the episodes and of the actions', '1')
    .option('--set <key=value...>', 'options of the environment, such as partition=graph')
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      `
Checks the type and length of views, vectors too short to be standardised, views that are replaced or share memory, numbers
that are not finite or out of bounds, episodes that a seed does not repeat or that depend on another environment, wrong time
limits, returns, rewards and masks, rewards that are always 0 or opposed, saved states that do not restore, and allocation
in step. Notes observation elements that never change. The exit code is 1 for errors and 0 for warnings alone.

Examples:
  hatrpo check-env ./my-env.ts --set size=4
  hatrpo check-env mamujoco/Ant-4x2 --episodes 1`,
    )
    .action(async (id: string, flags: CheckFlags) => {
      const episodes = wholeFlag('--episodes', flags.episodes, 1, 10_000)
      const seed = wholeFlag('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER)
      const config: EnvConfig = { ...parseOptions(flags.set ?? []), id }
      const { checkEnv, checkRules, isPettingZooId, loadEnvMaker } = await import('../envs/index.js')
      const python = isPettingZooId(id)
      const own = async (context: EnvContext) => (await loadEnvMaker({ ...config, rewards: 'each' }))(context)
      const busy = new Busy()
      busy.phase(`checking ${id}`)
      try {
        const report = await checkEnv(await loadEnvMaker(config), {
          episodes,
          seed,
          // Neither allocations of a Python process nor rewards before they are made into one are visible to this one.
          allocation: !python,
          ...(python && config['rewards'] !== 'each' && { ownRewards: own }),
          progress: (stage) => busy.rename(`checking ${id}: ${stage}`),
        })
        const lines = flags.json ? [toJson({ env: config, ...report })] : describe(id, report, checkRules)
        process.stdout.write(`${lines.join('\n')}\n`)
        if (count(report.findings, 'error') > 0) process.exitCode = 1
      } finally {
        busy.stop()
      }
    })
}

/** Options of an environment. The `env.` that precedes them in a run's configuration may be given or not. */
function parseOptions(settings: readonly string[]): Omit<EnvConfig, 'id'> {
  const options: Record<string, string | number | boolean> = {}
  for (const setting of settings) {
    const match = /^(?:env\.)?([A-Za-z]\w*)=(.*)$/s.exec(setting)
    if (match === null || match[1] === 'id')
      throw usageError(
        `--set is ${JSON.stringify(setting)}: it must be an option of the environment, such as partition=graph`,
      )
    const value = parseValue(match[2])
    const plain = ['string', 'number', 'boolean'].includes(typeof value)
    options[match[1]] = plain ? (value as string | number | boolean) : match[2]
  }
  return options
}

/** Compact JSON. Numbers that are not finite, such as missing bounds, become null. */
function toJson(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Float64Array ? Array.from(part) : part,
  )
}

function describe(id: string, report: CheckReport, rules: object): string[] {
  const { spec, notes, findings } = report
  return [
    ...(spec === undefined ? [id] : describeSpec(id, spec)),
    ...describeEpisodes(report),
    `checked  ${Object.keys(rules).join(', ')}`,
    ...notes.map((note) => `note     ${note}`),
    ...findings.map(({ severity, rule, message }) => `${severity.padEnd(8)} ${rule}: ${message}`),
    summary(findings),
  ]
}

function describeSpec(id: string, spec: NonNullable<CheckReport['spec']>): string[] {
  const { agents, stateSize, timeLimit, mode } = spec
  const name = id === spec.id ? id : `${id} (${spec.id})`
  const limit = timeLimit === Infinity ? 'no time limit' : `time limit ${timeLimit}`
  const width = Math.max(...agents.map((agent) => agent.id.length))
  return [
    `${name}: ${agents.length} ${agents.length === 1 ? 'agent' : 'agents'}, ${mode}, state ${stateSize}, ${limit}`,
    ...agents.map(
      (agent) =>
        `  ${agent.id.padEnd(width)}  observation ${agent.observation.size}, action ${describeAction(agent.action)}`,
    ),
  ]
}

function describeAction(action: ActionSpace): string {
  if (action.kind === 'discrete') return `1 of ${action.n}`
  if (action.kind === 'multiDiscrete') return action.sizes.map((n) => `1 of ${n}`).join(', ')
  const { size, low, high } = action
  const bounds = low.every((value) => value === low[0]) && high.every((value) => value === high[0])
  return bounds ? `${size} in [${low[0]}, ${high[0]}]` : `${size} within different bounds`
}

function describeEpisodes({ episodes, stepsPerSecond, restoredBy }: CheckReport): string[] {
  if (episodes.length === 0) return []
  const steps = spread(episodes.map((episode) => episode.steps))
  const returns = spread(episodes.map((episode) => episode.returns[0]))
  const ends = (['terminated', 'truncated', 'running'] as const)
    .map((end) => [episodes.filter((episode: EpisodeSummary) => episode.end === end).length, end] as const)
    .filter(([number]) => number > 0)
    .map(([number, end]) => `${number} ${end === 'running' ? 'not ended' : end}`)
  const speed = stepsPerSecond === undefined ? '' : `, ${Math.round(stepsPerSecond)} steps/s`
  return [
    `episodes ${episodes.length} of random actions: ${steps} steps (${ends.join(', ')}), return ${returns}${speed}`,
    `restored by ${restoredBy === 'saveState' ? 'saveState and loadState' : 'replaying the episode'}`,
  ]
}

/** Range of the values, such as `12 to 30`; one number where all are equal. */
function spread(values: readonly number[]): string {
  const show = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2))
  const [least, most] = [show(Math.min(...values)), show(Math.max(...values))]
  return least === most ? least : `${least} to ${most}`
}

function count(findings: readonly Finding[], severity: Finding['severity']): number {
  return findings.filter((finding) => finding.severity === severity).length
}

function summary(findings: readonly Finding[]): string {
  const of = (severity: Finding['severity']) => {
    const number = count(findings, severity)
    return `${number} ${severity}${number === 1 ? '' : 's'}`
  }
  return findings.length === 0 ? 'nothing wrong found' : `${of('error')}, ${of('warning')}`
}
