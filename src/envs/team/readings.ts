import { usageError } from '../../errors.js'
import { byCloseness } from '../../text/nearest.js'
import { integersOf } from '../mujoco/load.js'
import type { DataArray, PhysicsModel } from '../mujoco/world.js'
import type { Field, StateField } from './fields.js'
import type { Kind, ModelNames } from './names.js'

/** A run of numbers in one of MuJoCo's arrays. */
export interface Span {
  readonly array: DataArray
  readonly index: number
  readonly count: number
}

type Locate = (model: PhysicsModel, element: number) => readonly [index: number, count: number]

interface FieldEntry {
  readonly array: DataArray
  readonly kind: Kind
  readonly locate: Locate
}

/** Positions and velocities of a joint by its type: free, ball, slide, hinge. */
const POSITIONS = [7, 4, 1, 1]
const VELOCITIES = [6, 3, 1, 1]

function each(array: DataArray, kind: Kind, width: number): FieldEntry {
  return { array, kind, locate: (_, element) => [width * element, width] }
}

function velocities(array: DataArray): FieldEntry {
  const locate: Locate = ({ handle }, joint) => [
    integersOf(handle, 'jnt_dofadr')[joint],
    VELOCITIES[integersOf(handle, 'jnt_type')[joint]],
  ]
  return { array, kind: 'joint', locate }
}

function mocap(array: DataArray, width: number): FieldEntry {
  const locate: Locate = ({ handle }, body) => {
    const mocapBody = integersOf(handle, 'body_mocapid')[body]
    return mocapBody < 0 ? [0, 0] : [width * mocapBody, width]
  }
  return { array, kind: 'body', locate }
}

const FIELDS: Readonly<Record<Field, FieldEntry>> = {
  qpos: {
    array: 'qpos',
    kind: 'joint',
    locate: ({ handle }, joint) => [
      integersOf(handle, 'jnt_qposadr')[joint],
      POSITIONS[integersOf(handle, 'jnt_type')[joint]],
    ],
  },
  qvel: velocities('qvel'),
  qacc: velocities('qacc'),
  qfrc_actuator: velocities('qfrc_actuator'),
  sensor: {
    array: 'sensordata',
    kind: 'sensor',
    locate: ({ handle }, sensor) => [
      integersOf(handle, 'sensor_adr')[sensor],
      integersOf(handle, 'sensor_dim')[sensor],
    ],
  },
  xpos: each('xpos', 'body', 3),
  xquat: each('xquat', 'body', 4),
  xmat: each('xmat', 'body', 9),
  xipos: each('xipos', 'body', 3),
  cvel: each('cvel', 'body', 6),
  subtree_com: each('subtree_com', 'body', 3),
  geom_xpos: each('geom_xpos', 'geom', 3),
  geom_xmat: each('geom_xmat', 'geom', 9),
  site_xpos: each('site_xpos', 'site', 3),
  site_xmat: each('site_xmat', 'site', 9),
  ten_length: each('ten_length', 'tendon', 1),
  ten_velocity: each('ten_velocity', 'tendon', 1),
  ctrl: each('ctrl', 'actuator', 1),
  act: {
    array: 'act',
    kind: 'actuator',
    locate: ({ handle }, actuator) => [
      Math.max(0, integersOf(handle, 'actuator_actadr')[actuator]),
      integersOf(handle, 'actuator_actnum')[actuator],
    ],
  },
  actuator_length: each('actuator_length', 'actuator', 1),
  actuator_velocity: each('actuator_velocity', 'actuator', 1),
  actuator_force: each('actuator_force', 'actuator', 1),
  mocap_pos: mocap('mocap_pos', 3),
  mocap_quat: mocap('mocap_quat', 4),
}

export const FIELD_NAMES = Object.keys(FIELDS) as Field[]
export const STATE_FIELDS: readonly StateField[] = ['qpos', 'qvel', 'act', 'ctrl', 'mocap_pos', 'mocap_quat']

/** Arrays that follow from the state and can be read. */
export const DERIVED_ARRAYS: readonly DataArray[] = FIELD_NAMES.filter(
  (field) => !(STATE_FIELDS as readonly string[]).includes(field),
).map((field) => FIELDS[field].array)

/**
 * Position of a reading in MuJoCo's arrays.
 * @param where origin of the reading, for errors
 * @throws HatrpoError (exit code 2) naming the wrong part and the existing ones
 */
export function findReading(reading: string, model: PhysicsModel, names: ModelNames, where: string): Span {
  const { fieldName, name, slice } = parseReading(reading)
  if (!Object.hasOwn(FIELDS, fieldName)) {
    throw usageError(
      `${where}: there is no field ${fieldName}; the fields are ${byCloseness(fieldName, FIELD_NAMES).join(', ')}`,
    )
  }
  const field = FIELDS[fieldName as Field]
  const span =
    name === undefined ? wholeField(field, model, names) : namedPart(field, name, model, names, where)
  if (span.count === 0) {
    throw usageError(
      `${where}: ${name === undefined ? 'the model' : `${field.kind} ${name}`} has no ${fieldName}`,
    )
  }
  return slice === undefined ? span : cut(span, slice, `${where}: ${reading}`)
}

interface Parsed {
  readonly fieldName: string
  readonly name?: string
  readonly slice?: readonly [first: number, end: number | undefined]
}

/** Splits `FIELD:NAME[FROM:TO]`. */
function parseReading(reading: string): Parsed {
  const [, body, first, colon, end] = /^(.*?)(?:\[(\d+)(:?)(\d*)\])?$/s.exec(reading)!
  const at = body.indexOf(':')
  const named = at < 0 ? { fieldName: body } : { fieldName: body.slice(0, at), name: body.slice(at + 1) }
  if (first === undefined) return named
  const from = Number(first)
  if (colon === '') return { ...named, slice: [from, from + 1] }
  return { ...named, slice: [from, end === '' ? undefined : Number(end)] }
}

function wholeField({ array, kind, locate }: FieldEntry, model: PhysicsModel, names: ModelNames): Span {
  const count = names.list(kind).reduce((sum, _, element) => sum + locate(model, element)[1], 0)
  return { array, index: 0, count }
}

function namedPart(
  { array, kind, locate }: FieldEntry,
  name: string,
  model: PhysicsModel,
  names: ModelNames,
  where: string,
): Span {
  const [index, count] = locate(model, names.find(kind, name, where))
  return { array, index, count }
}

function cut(
  { array, index, count }: Span,
  [first, end = count]: NonNullable<Parsed['slice']>,
  where: string,
): Span {
  if (first >= end || end > count) {
    throw usageError(`${where}: the range must be within [0:${count}]`)
  }
  return { array, index: index + first, count: end - first }
}
