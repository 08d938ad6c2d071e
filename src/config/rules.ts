import { RESCORING } from '../algorithms/kl-allocation.js'
import { PRECONDITIONERS } from '../learner/sampled-fisher.js'
import { group, key, laterGroup, laterKey } from './about.js'
import { harl, HARL_TRUST_REGION, ownPage } from './sources.js'
import {
  atLeastOne,
  flag,
  fraction,
  nonNegative,
  oneOf,
  openFraction,
  positive,
  share,
  whole,
} from './values.js'

const FEWER_PRODUCTS = ownPage('fewer-products.md')

export const trustRegion = group('Trust-region updates; read by methods with that update rule.', {
  delta: key(positive(), {
    text: 'Bound on the mean KL divergence of the old policy from the new one in a step; if one budget is split, the mean of these bounds over the agents.',
    unit: 'nats',
    default: 0.01,
    source: harl('kl_threshold'),
  }),
  damping: key(nonNegative(), {
    text: 'Multiple of the identity that is added to the Fisher matrix.',
    unit: null,
    default: 0.1,
    source: HARL_TRUST_REGION,
  }),
  cgIterations: key(whole(1, 1000), {
    text: 'Largest number of conjugate-gradient iterations.',
    unit: 'iterations',
    default: 10,
    source: HARL_TRUST_REGION,
  }),
  cgTolerance: key(nonNegative(), {
    text: 'Squared norm of the residual at which conjugate gradients stop.',
    unit: null,
    default: 1e-10,
    source: HARL_TRUST_REGION,
  }),
  lineSearchSteps: key(whole(1, 1000), {
    text: 'Largest number of step lengths that the line search tries.',
    unit: 'trials',
    default: 10,
    source: harl('ls_step'),
  }),
  backtrack: key(openFraction(), {
    text: 'Factor applied to the step length after a refused trial.',
    unit: null,
    default: 0.8,
    source: harl('backtrack_coeff'),
  }),
  acceptRatio: key(fraction(), {
    text: 'Least share of its predicted gain that a step must realise.',
    unit: null,
    default: 0.5,
    source: harl('accept_ratio'),
  }),
  miniBatches: key(whole(1, 1e6), {
    text: 'Parts into which the batch is divided, each with a full trust-region step.',
    unit: 'mini-batches',
    default: 1,
    source: 'HARL, algorithms/actors',
  }),
  fisherStride: laterKey(whole(1, 1000), {
    text: 'Fisher products use one of every so many valid rows.',
    unit: 'rows',
    default: 1,
    source: FEWER_PRODUCTS,
  }),
  preconditioner: laterKey(oneOf(PRECONDITIONERS), {
    text: 'Preconditioner of conjugate gradients: none, or Kronecker factors of the Fisher matrix.',
    unit: null,
    default: 'none',
    source: FEWER_PRODUCTS,
  }),
  preconditionerAge: laterKey(whole(1, 1e6), {
    text: 'Steps of a policy after which its preconditioner is computed again.',
    unit: 'steps of a policy',
    default: 1,
    source: FEWER_PRODUCTS,
  }),
})

const KL_ALLOCATION = ownPage('kl-allocation.md')

export const allocation = laterGroup(
  'Division of one KL budget, `trustRegion.delta` times the number of policies; read by methods that compare policies.',
  {
    rescore: laterKey(oneOf(RESCORING), {
      text: 'Policies that are scored again before a turn: all remaining ones, the one about to move, or none. Also read with `order=score`.',
      unit: null,
      default: 'lazy',
      source: KL_ALLOCATION,
    }),
    min: laterKey(fraction(), {
      text: 'Least share of a policy with a gain to expect.',
      unit: 'equal shares',
      default: 0,
      source: KL_ALLOCATION,
    }),
    max: laterKey(atLeastOne(), {
      text: 'Largest share of a policy.',
      unit: 'equal shares',
      default: 4,
      source: KL_ALLOCATION,
    }),
  },
)

export const clipped = group('Clipped updates; read by methods with that update rule.', {
  lr: key(positive(), {
    text: 'Learning rate of the policies.',
    unit: null,
    default: 5e-4,
    source: harl('lr'),
  }),
  clip: key(openFraction(), {
    text: 'Distance from 1 at which the ratio of new to old probability is clipped.',
    unit: null,
    default: 0.2,
    source: harl('clip_param'),
  }),
  epochs: key(whole(1, 1000), {
    text: 'Passes over the batch in an update of a policy.',
    unit: 'epochs',
    default: 5,
    source: harl('ppo_epoch'),
  }),
  miniBatches: key(whole(1, 1e6), {
    text: 'Parts into which the batch is divided in each epoch, each with one step.',
    unit: 'mini-batches',
    default: 1,
    source: harl('actor_num_mini_batch'),
  }),
  entropyCoef: key(nonNegative(), {
    text: "Factor of the policy's entropy in the objective.",
    unit: 'per nat',
    default: 0.01,
    source: harl('entropy_coef'),
  }),
  maxGradNorm: key(positive(), {
    text: 'Largest norm of a gradient; larger ones are scaled down to it.',
    unit: null,
    default: 10,
    source: harl('max_grad_norm'),
  }),
  lrDecay: key(flag(), {
    text: 'Whether the learning rates of policies and critics fall linearly to 0 over the run. Such a run cannot be extended.',
    unit: null,
    default: false,
    source: harl('use_linear_lr_decay'),
  }),
})

export const offPolicy = laterGroup('Learning from a replay of earlier rollouts; read by methods that do.', {
  lr: key(positive(), {
    text: "Learning rate of the policies; the critics' is `critic.lr`.",
    unit: null,
    default: 5e-4,
    source: harl('lr'),
  }),
  batchSize: key(whole(1, 1e6), {
    text: 'Transitions that an update step draws.',
    unit: 'transitions',
    default: 1000,
    source: harl('batch_size'),
  }),
  bufferSize: key(whole(1, 1e9), {
    text: 'Transitions that the replay keeps, in whole rollouts.',
    unit: 'transitions',
    default: 1_000_000,
    source: harl('buffer_size'),
  }),
  warmup: key(whole(0, 1e9), {
    text: 'Number of initial steps of each environment with uniform actions; learning starts after them.',
    unit: 'steps',
    default: 1000,
    source: harl('warmup_steps, shared by n_rollout_threads'),
  }),
  updatesPerStep: key(positive(), {
    text: 'Update steps per step of every environment.',
    unit: 'updates per step',
    default: 1,
    source: harl('update_per_train'),
  }),
  nStep: key(whole(1, 1000), {
    text: 'Rewards that a target sums up before the value of a state.',
    unit: 'steps',
    default: 1,
    source: harl('n_step'),
  }),
  polyak: key(share(), {
    text: 'Weight of the new parameters in the target networks after an update step.',
    unit: null,
    default: 0.005,
    source: harl('polyak'),
  }),
  noise: key(nonNegative(), {
    text: 'Standard deviation of the exploration noise.',
    unit: "halves of an action's range",
    default: 0.1,
    source: harl('expl_noise'),
  }),
})
