import { z } from 'zod'
import { HatrpoError } from '../../src/errors.js'

const numbers = z.array(z.unknown())
const info = z.record(z.string(), z.unknown())

const outcome = z.looseObject({
  action: numbers,
  reward: z.unknown(),
  terminated: z.boolean(),
  obs: numbers.optional(),
  info: info.optional(),
})
const state = { qpos: numbers, qvel: numbers }
const converged = z.looseObject({
  next_qpos: numbers,
  next_qvel: numbers,
  reward: z.unknown(),
  terminated: z.boolean(),
  obs_cfrc_ext: numbers.optional(),
  info: info.optional(),
})
const transition = outcome.extend({
  ...state,
  next_qpos: numbers,
  next_qvel: numbers,
  contact: z.string().optional(),
  same_state_as: z.number().int().optional(),
  obs_at_state: numbers.optional(),
  qpos_after_set_state: numbers.optional(),
  converged: converged.optional(),
})
const perAgent = z.record(z.string(), numbers)
const agent = z.looseObject({
  obs_dim: z.int(),
  action_dim: z.int(),
  action_low: z.union([z.number(), numbers]),
  action_high: z.union([z.number(), numbers]),
  action_nodes: z.array(z.string()),
  action_ids: z.array(z.int()),
  nodes_by_distance: z.array(z.array(z.string())).nullish(),
  index_map: z.array(z.int()).nullish(),
})
const view = z.looseObject({
  agents: z.record(z.string(), agent),
  local_obs: z.array(perAgent).default([]),
  local_obs_at_state_0: perAgent.optional(),
})
const division = z.looseObject({
  states: z.array(
    z.looseObject({
      ...state,
      actions: perAgent,
      global_action: numbers,
      next_qpos: numbers,
      next_qvel: numbers,
      reward: z.unknown(),
      terminated: z.boolean(),
      global_obs: numbers.optional(),
      info: info.optional(),
    }),
  ),
  obsk: z.record(z.string(), view),
  local_categories: z.array(z.array(z.string())).nullish(),
  global_categories: z.array(z.string()).nullish(),
})
const goldenEnv = z.looseObject({
  format: z.literal('golden-env/1'),
  task: z.string(),
  spaces: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  transitions: z.record(z.string(), z.array(transition)).optional(),
  trajectory: z.looseObject({ steps: z.array(outcome.extend(state)) }).optional(),
  mamujoco: z.record(z.string(), division).optional(),
})

export type Outcome = z.infer<typeof outcome>
export type Transition = z.infer<typeof transition>
export type Converged = z.infer<typeof converged>
export type Division = z.infer<typeof division>
export type View = z.infer<typeof view>
export type GoldenEnv = z.infer<typeof goldenEnv>

/** @throws HatrpoError when the text is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HatrpoError(`is not JSON: ${(cause as Error).message}`, { cause })
  }
}

/** @throws HatrpoError when the value is not a file of environment transitions */
export function parseGoldenEnv(json: unknown): GoldenEnv {
  const result = goldenEnv.safeParse(json)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]
  throw new HatrpoError(`is not a golden-env/1 file: ${path.join('.')}: ${message}`)
}
