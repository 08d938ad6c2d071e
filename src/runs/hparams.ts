import type { TrainConfig } from '../config/index.js'
import { bytesField, double, integer } from './protobuf.js'

/** A summary that one of TensorBoard's plugins reads. */
export interface PluginSummary {
  readonly tag: string
  readonly plugin: string
  readonly content: Buffer
}

/** Settings of a run, and the numbers by which runs are compared. */
export interface Session {
  readonly config: TrainConfig
  /** Tags of scalars. */
  readonly metrics: readonly string[]
  /** Since 1970. */
  readonly seconds: number
}

/** Fields of the messages in tensorboard/plugins/hparams/plugin_data.proto and api.proto. */
const DATA = { experiment: 2, sessionStart: 3, sessionEnd: 4 }
const EXPERIMENT = { created: 3, hparams: 4, metrics: 5 }
const HPARAM = { name: 1, type: 4 }
const METRIC = { name: 1 }
const METRIC_NAME = { tag: 2 }
const START = { hparams: 1, begun: 5 }
const END = { status: 1, ended: 2 }
const ENTRY = { key: 1, value: 2 }
const SUCCESS = 1

/** By the type of a value: its number in the plugin, and its encoding as google.protobuf.Value. */
const TYPES = {
  string: { type: 1, encode: (value: unknown) => bytesField(3, String(value)) },
  boolean: { type: 2, encode: (value: unknown) => integer(4, value === true ? 1 : 0) },
  number: { type: 3, encode: (value: unknown) => double(2, value as number) },
} as const

type Plain = string | number | boolean

/** Settings by dotted names, such as `trustRegion.delta`; lists and groups of agents as JSON. */
export function flatSettings(settings: object, prefix = ''): [name: string, value: Plain][] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]): [string, Plain][] => {
    const name = prefix + key
    if (name === 'actor.sharing' || Array.isArray(value))
      return [[name, typeof value === 'string' ? value : JSON.stringify(value)]]
    if (typeof value === 'object' && value !== null) return flatSettings(value, `${name}.`)
    return [[name, value as Plain]]
  })
}

/** Settings of a run: the columns of the plugin's table, and the run's values. */
export function hparamsOf({ config, metrics, seconds }: Session): PluginSummary[] {
  const settings = flatSettings(config)
  const columns = settings.map(([name, value]) =>
    bytesField(
      EXPERIMENT.hparams,
      Buffer.concat([bytesField(HPARAM.name, name), integer(HPARAM.type, typeOf(value).type)]),
    ),
  )
  const compared = metrics.map((tag) =>
    bytesField(EXPERIMENT.metrics, bytesField(METRIC.name, bytesField(METRIC_NAME.tag, tag))),
  )
  const values = settings.map(([name, value]) =>
    bytesField(
      START.hparams,
      Buffer.concat([bytesField(ENTRY.key, name), bytesField(ENTRY.value, typeOf(value).encode(value))]),
    ),
  )
  const experiment = [double(EXPERIMENT.created, seconds), ...columns, ...compared]
  return [
    summary('experiment', DATA.experiment, experiment),
    summary('session_start_info', DATA.sessionStart, [...values, double(START.begun, seconds)]),
  ]
}

/** The end of a run that has made its last iteration. */
export function outcomeOf(seconds: number): PluginSummary[] {
  const end = [integer(END.status, SUCCESS), double(END.ended, seconds)]
  return [summary('session_end_info', DATA.sessionEnd, end)]
}

function typeOf(value: Plain) {
  return TYPES[typeof value as keyof typeof TYPES]
}

function summary(name: string, data: number, fields: readonly Buffer[]): PluginSummary {
  return { tag: `_hparams_/${name}`, plugin: 'hparams', content: bytesField(data, Buffer.concat(fields)) }
}
