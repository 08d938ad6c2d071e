import { z } from 'zod'

/** A key of HARL's that is only supported at one value, and why. */
function only<T extends string | number>(value: T, why: string) {
  return z.literal(value, { error: ({ input }) => `${String(input)}: must be ${value}, ${why}` }).optional()
}

/** Keys that every actor's update has. */
export const actorUpdateKeys = {
  use_policy_active_masks: z.boolean().default(true),
  action_aggregation: only('prod', 'ratios are of joint probabilities'),
}

export const trustRegionKeys = {
  ...actorUpdateKeys,
  kl_threshold: z.number().positive(),
  ls_step: z.int().positive(),
  accept_ratio: z.number(),
  backtrack_coeff: z.number().positive(),
}

const optimiserKeys = {
  use_max_grad_norm: z.boolean(),
  max_grad_norm: z.number().positive(),
  opti_eps: z.number().nonnegative(),
  weight_decay: only(0, 'Adam has no weight decay here'),
}

export const clippedKeys = {
  ...actorUpdateKeys,
  ...optimiserKeys,
  ppo_epoch: z.int().positive(),
  clip_param: z.number().nonnegative(),
  actor_num_mini_batch: only(1, 'the files do not say how rows were shuffled'),
  entropy_coef: z.number(),
  lr: z.number().nonnegative(),
}

export const criticKeys = {
  ...optimiserKeys,
  critic_epoch: z.int().positive(),
  critic_num_mini_batch: only(1, 'the files do not say how rows were shuffled'),
  clip_param: z.number().nonnegative(),
  use_clipped_value_loss: z.boolean(),
  use_huber_loss: z.boolean(),
  huber_delta: z.number().nonnegative(),
  value_loss_coef: z.number(),
  critic_lr: z.number().nonnegative(),
}
