import { z } from 'zod'
import { HatrpoError } from '../../src/errors.js'

const vectors = z.array(z.array(z.number()))
const action = z.union([z.number(), z.array(z.number())])
const moment = { pos: vectors, vel: vectors, comm: vectors }
const start = z.looseObject({
  ...moment,
  landmark_pos: vectors,
  goal: z.looseObject({ landmark: z.array(z.number().nullable()) }).optional(),
  colors: z.looseObject({ landmarks: vectors }),
})
const step = z.looseObject({
  state: start,
  observations: vectors,
  actions: z.array(action),
  clipped_actions: z.array(action).optional(),
  touching: z.array(z.array(z.number())).optional(),
  speed_limited: z.array(z.number()).optional(),
  control_force: z.array(z.array(z.number()).nullable()).optional(),
  total_force: z.array(z.array(z.number()).nullable()).optional(),
  next_state: z.looseObject(moment),
  next_observations: vectors,
  rewards: z.array(z.number()),
  local_rewards: z.array(z.number()).optional(),
  global_reward: z.number().nullish(),
})
const trajectory = z.looseObject({
  state: start,
  observations: vectors.optional(),
  lcg_seed: z.number().int(),
  steps: z.array(
    z.looseObject({
      ...moment,
      actions: z.array(action),
      rewards: z.array(z.number()),
      terminated: z.array(z.boolean()),
      truncated: z.array(z.boolean()),
      observations: vectors.optional(),
    }),
  ),
})
const body = z.looseObject({
  size: z.number(),
  mass: z.number(),
  movable: z.boolean(),
  collide: z.boolean(),
})
const particleFile = z.looseObject({
  name: z.string(),
  version: z.string(),
  actions: z.enum(['discrete', 'continuous']),
  params: z.record(z.string(), z.number()),
  world: z.record(z.string(), z.number()),
  max_cycles: z.int(),
  local_ratio: z.number().nullable(),
  agents: z.array(
    body.extend({
      name: z.string(),
      sensitivity: z.number(),
      max_speed: z.number().nullable(),
      silent: z.boolean(),
      adversary: z.boolean().optional(),
      action_space: z.record(z.string(), z.unknown()),
      observation_length: z.int(),
    }),
  ),
  landmarks: z.array(body),
  state_length: z.int(),
  resets: z.array(z.looseObject({ state: start, observations: vectors })).default([]),
  transitions: z.array(step).default([]),
  out_of_range: z.array(step).default([]),
  trajectories: z.array(trajectory).default([]),
})

export type ParticleFile = z.infer<typeof particleFile>
export type ParticleStart = z.infer<typeof start>
export type ParticleStep = z.infer<typeof step>
export type ParticleTrajectory = z.infer<typeof trajectory>
export type ParticleMoment = Pick<ParticleStart, 'pos' | 'vel' | 'comm'>

/** @throws HatrpoError when the value is not a file of particle transitions */
export function parseParticleFile(json: unknown): ParticleFile {
  const result = particleFile.safeParse(json)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]
  throw new HatrpoError(`is not a file of particle transitions: ${path.join('.')}: ${message}`)
}
