import { CRITIC_INPUTS, CRITIC_SHARING } from '../algorithms/critics.js'
import { ACTIVATIONS } from '../devices/steps.js'
import { group, key, laterKey } from './about.js'
import { harl, HARL_OBSERVATIONS, OWN, ownPage } from './sources.js'
import { flag, hidden, oneOf, positive, sharing, SHARING_JSON, whole } from './values.js'

const names = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[]

/** What policies and critics have in common. @param what the network is fed */
const layers = (what: string) => ({
  hidden: key(hidden(), {
    text: 'Widths of the hidden layers, the first one first.',
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
    text: `Whether ${what} is standardised by the mean and the standard deviation of its own entries.`,
    unit: null,
    default: true,
    source: HARL_OBSERVATIONS,
  }),
})

/** Recurrent layers of a network. */
const recurrent = () => ({
  gruLayers: laterKey(whole(0, 8, ' (0 = none)'), {
    text: 'Layers of gated recurrent units behind the hidden layers; 0 for a feed-forward network.',
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
    text: 'Steps of time through which the gradients of recurrent layers pass. It must divide `rolloutSteps`.',
    unit: 'steps',
    default: 10,
    source: harl('data_chunk_length'),
  }),
})

export const actor = group('The policies.', {
  ...layers('an observation'),
  agentId: key(flag(), {
    text: "Whether a one-hot of the agent's number is appended to its observation.",
    unit: null,
    default: true,
    source: HARL_OBSERVATIONS,
  }),
  std: laterKey(oneOf(['independent', 'dependent']), {
    text: 'Whether the standard deviation of continuous actions is the same in all states, or an output of the network.',
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
    text: 'y in the standard deviation of continuous actions, y sigmoid(s / x): the largest that it can be.',
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
    text: 'Whether each agent has a policy of its own, all agents have one in common, or each named group of agents has one.',
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
    text: 'Parts that the batch is dealt to in each epoch.',
    unit: 'mini-batches',
    default: 1,
    source: harl('critic_num_mini_batch'),
  }),
  clip: key(positive(), {
    text: 'Largest change of a value in an update before `critic.clippedLoss` stops it; of a normalised value with `critic.valueNorm`.',
    unit: 'value',
    default: 0.2,
    source: harl('clip_param'),
  }),
  clippedLoss: key(flag(), {
    text: 'Whether the loss is the larger one of the value and of the value clipped to a range around the old one.',
    unit: null,
    default: true,
    source: harl('use_clipped_value_loss'),
  }),
  huberDelta: key(positive(), {
    text: "Error of a value at which Huber's loss turns from a square to a line; of a normalised value with `critic.valueNorm`.",
    unit: 'value',
    default: 10,
    source: harl('huber_delta'),
  }),
  maxGradNorm: key(positive(), {
    text: 'Norm to which a larger gradient is scaled down.',
    unit: null,
    default: 10,
    source: harl('max_grad_norm'),
  }),
  valueNorm: key(flag(), {
    text: 'Whether the targets of the values are normalised by running estimates of their mean and deviation.',
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
    text: 'Vector that critics value: the state, the observation of their agent, those of all agents, or these with the actions before them; `default` is that of the method.',
    unit: null,
    default: 'default',
    source: OWN,
  }),
  sharing: laterKey(oneOf(['default', ...names(CRITIC_SHARING)]), {
    text: 'Whether each team has a critic, or each agent has one of its own rewards; `default` is that of the method.',
    unit: null,
    default: 'default',
    source: OWN,
  }),
  ...recurrent(),
})
