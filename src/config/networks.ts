import { CRITIC_INPUTS, CRITIC_SHARING } from '../algorithms/critics.js'
import { ACTIVATIONS } from '../devices/steps.js'
import { group, key, laterKey } from './about.js'
import { harl, HARL_OBSERVATIONS, OWN, ownPage } from './sources.js'
import { flag, hidden, oneOf, positive, sharing, SHARING_JSON, whole } from './values.js'

const names = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[]

/** Keys that policies and critics have in common. @param what name of the network's input */
const layers = (what: string) => ({
  hidden: key(hidden(), {
    text: 'Widths of the hidden layers, from input to output.',
    unit: 'units',
    default: [128, 128],
    source: harl('hidden_sizes'),
  }),
  activation: key(oneOf(ACTIVATIONS), {
    text: 'Activation function of the hidden layers.',
    unit: null,
    default: 'relu',
    source: harl('activation_func'),
  }),
  inputNorm: key(flag(), {
    text: 'Whether the input passes through a LayerNorm.',
    unit: null,
    default: true,
    source: harl('use_feature_normalization'),
  }),
  standardise: key(flag(), {
    text: `Whether ${what} is standardised by the mean and standard deviation of its own elements.`,
    unit: null,
    default: true,
    source: HARL_OBSERVATIONS,
  }),
})

/** Recurrent layers of a network. */
const recurrent = () => ({
  gruLayers: laterKey(whole(0, 8, ' (0 = none)'), {
    text: 'Number of layers of gated recurrent units after the hidden layers; 0 for a feed-forward network.',
    unit: 'layers',
    default: 0,
    source: harl('use_recurrent_policy'),
  }),
  gruSize: laterKey(whole(1, 8192), {
    text: 'Units of each recurrent layer.',
    unit: 'units',
    default: 64,
    source: ownPage('recurrent.md'),
  }),
  chunk: laterKey(whole(1, 1e6), {
    text: 'Number of time steps through which gradients of recurrent layers pass. It must divide `rolloutSteps`.',
    unit: 'steps',
    default: 10,
    source: harl('data_chunk_length'),
  }),
})

export const actor = group('The policies.', {
  ...layers('an observation'),
  agentId: key(flag(), {
    text: "Whether the agent's number is appended to its observation as a one-hot vector.",
    unit: null,
    default: true,
    source: HARL_OBSERVATIONS,
  }),
  std: laterKey(oneOf(['independent', 'dependent']), {
    text: 'Whether the standard deviation of continuous actions is the same in all states or an output of the network.',
    unit: null,
    default: 'independent',
    source: harl('std_x_coef, std_y_coef'),
  }),
  stdX: key(positive(), {
    text: 'x in the standard deviation of continuous actions, y sigmoid(s / x), where s is learned.',
    unit: null,
    default: 1,
    source: harl('std_x_coef'),
  }),
  stdY: key(positive(), {
    text: 'y in the standard deviation of continuous actions, y sigmoid(s / x): its upper bound.',
    unit: 'action',
    default: 0.5,
    source: harl('std_y_coef'),
  }),
  headGain: key(positive(), {
    text: 'Gain of the orthogonal initialisation of the last layer.',
    unit: null,
    default: 0.01,
    source: harl('gain'),
  }),
  sharing: laterKey(sharing(), {
    text: 'Whether each agent has its own policy, all agents share one, or each named group of agents shares one.',
    unit: null,
    default: 'own',
    source: harl('share_param'),
    json: SHARING_JSON,
  }),
  ...recurrent(),
})

export const critic = group('The critics.', {
  ...layers("the critics' input"),
  lr: key(positive(), {
    text: 'Learning rate of the critics.',
    unit: null,
    default: 5e-4,
    source: harl('critic_lr'),
  }),
  epochs: key(whole(1, 1000), {
    text: 'Passes over the batch in an update of the critics.',
    unit: 'epochs',
    default: 5,
    source: harl('critic_epoch'),
  }),
  miniBatches: key(whole(1, 1e6), {
    text: 'Parts into which the batch is divided in each epoch.',
    unit: 'mini-batches',
    default: 1,
    source: harl('critic_num_mini_batch'),
  }),
  clip: key(positive(), {
    text: 'Largest change of a value in an update with `critic.clippedLoss`; with `critic.valueNorm`, of the normalised value.',
    unit: 'value',
    default: 0.2,
    source: harl('clip_param'),
  }),
  clippedLoss: key(flag(), {
    text: 'Whether the loss is the larger of two losses: that of the value, and that of the value clipped to a range around the old one.',
    unit: null,
    default: true,
    source: harl('use_clipped_value_loss'),
  }),
  huberDelta: key(positive(), {
    text: 'Error at which the Huber loss changes from quadratic to linear; with `critic.valueNorm`, of the normalised value.',
    unit: 'value',
    default: 10,
    source: harl('huber_delta'),
  }),
  maxGradNorm: key(positive(), {
    text: 'Largest norm of a gradient; larger ones are scaled down to it.',
    unit: null,
    default: 10,
    source: harl('max_grad_norm'),
  }),
  valueNorm: key(flag(), {
    text: 'Whether targets of values are normalised by running estimates of their mean and standard deviation.',
    unit: null,
    default: true,
    source: harl('use_valuenorm'),
  }),
  lossCoef: key(positive(), {
    text: 'Factor of the loss.',
    unit: null,
    default: 1,
    source: harl('value_loss_coef'),
  }),
  input: laterKey(oneOf(['default', ...names(CRITIC_INPUTS)]), {
    text: 'Input of the critics: the state, the observation of their agent, those of all agents, or these with the actions of the step before; `default` is that of the method.',
    unit: null,
    default: 'default',
    source: OWN,
  }),
  sharing: laterKey(oneOf(['default', ...names(CRITIC_SHARING)]), {
    text: 'Whether each team has a critic, or each agent has one for its own rewards; `default` is that of the method.',
    unit: null,
    default: 'default',
    source: OWN,
  }),
  ...recurrent(),
})
