import type { MjModel } from '@mujoco/mujoco'
import { modelFlags } from '../../src/envs/mujoco/flags.js'
import type { Mujoco } from '../../src/envs/mujoco/load.js'

/**
 * Fields that decide only how a model looks or is named, those that hold MuJoCo's own memory (`nconmax` is a former way
 * to ask for it), and key frames, which are only places to start from.
 */
const NOT_PHYSICS =
  /^(cam|light|mat|mesh|tex|skin|hfield|name|names|numeric|text|tuple|key|paths|buffer|signature|n(conmax|key|cam|light|mat|tex|texdata|names|names_map|buffer|arena|numeric|numericdata|text|textdata|paths|user_\w+))(_|$)|_(matid|rgba|group|user)$/

/** Boolean arrays that the API cannot read and that these models leave empty, or that only concern looks. */
const UNREADABLE = new Set([
  'eq_active0',
  'flex_centered',
  'flex_flatskin',
  'flex_internal',
  'flex_rigid',
  'flexedge_rigid',
  'tendon_actfrclimited',
  'tendon_limited',
])

/** Physics options. */
const OPTIONS = [
  'timestep',
  'gravity',
  'wind',
  'magnetic',
  'density',
  'viscosity',
  'impratio',
  'tolerance',
  'ls_tolerance',
  'noslip_tolerance',
  'ccd_tolerance',
  'o_margin',
  'o_solref',
  'o_solimp',
  'o_friction',
  'integrator',
  'cone',
  'jacobian',
  'solver',
  'iterations',
  'ls_iterations',
  'noslip_iterations',
  'ccd_iterations',
  'disableflags',
  'enableflags',
  'disableactuator',
] as const

/** Every physics field of a compiled model, as plain numbers. */
export function modelFields(mujoco: Mujoco, model: MjModel): Record<string, number | number[]> {
  const flags = modelFlags(mujoco, model)
  const fields: Record<string, number | number[]> = { ...flags }
  for (const name of propertyNames(model)) {
    if (NOT_PHYSICS.test(name) || UNREADABLE.has(name) || name in flags) continue
    const value: unknown = (model as unknown as Record<string, unknown>)[name]
    if (typeof value === 'number') fields[name] = value
    else if (ArrayBuffer.isView(value)) {
      const numbers = Array.from(value as unknown as ArrayLike<number>)
      if (numbers.length > 0) fields[name] = numbers
    }
  }
  for (const name of OPTIONS) fields[`opt.${name}`] = plain(model.opt[name] as unknown)
  for (const name of ['meaninertia', 'meanmass', 'meansize', 'extent', 'center'] as const) {
    fields[`stat.${name}`] = plain(model.stat[name] as unknown)
  }
  return fields
}

function plain(value: unknown): number | number[] {
  if (typeof value === 'number') return value
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>)
  return Number((value as { value: number }).value)
}

function propertyNames(model: MjModel): string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(model)).sort()
}
