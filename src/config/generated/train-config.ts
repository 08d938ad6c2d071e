// Made from the schema by `npm run docs`; not to be edited.
/* oxlint-disable max-lines -- one interface */
import type { ConfigValues } from '../schema.js'

/**
 * Configuration of a run: everything that its result depends on besides the version of the package. Settings of the
 * machine, such as the number of workers, are not part of it because they change no result.
 */
export interface TrainConfig {
  /** Environment: its id and its options. */
  env: {
    /**
     * Environment: a built-in one, a file, a package, or a Python environment.
     *
     * Must be the name of an environment, such as mamujoco/HalfCheetah-2x3.
     */
    id: ConfigValues['env']['id']
    [option: string]: ConfigValues['env'][string]
  }
  /**
   * Name of the method.
   *
   * Must be one of hatrpo, happo, trpo, ppo, itrpo, ippo, matrpo, mappo, hatrpo-w, hatrpo-g, maddpg,
   * policy-iteration.
   */
  algo: ConfigValues['algo']
  /**
   * Seed of all random numbers.
   *
   * Must be a whole number from 0 to 9007199254740991. The default is from HARL, configs/algos_cfgs: seed.
   *
   * @default 1
   */
  seed: ConfigValues['seed']
  /**
   * Steps of all environments together, rounded up to whole iterations.
   *
   * Must be a whole number from 1 to 1000000000000; unit: steps. The default is from HARL,
   * configs/algos_cfgs: num_env_steps.
   *
   * @default 10000000
   */
  steps: ConfigValues['steps']
  /**
   * Number of environments stepped side by side.
   *
   * Must be a whole number from 1 to 65536; unit: environments. The default is from HARL, configs/algos_cfgs:
   * n_rollout_threads.
   *
   * @default 20
   */
  envs: ConfigValues['envs']
  /**
   * Steps of each environment in an iteration.
   *
   * Must be a whole number from 1 to 1000000; unit: steps. The default is from HARL, configs/algos_cfgs:
   * episode_length.
   *
   * @default 200
   */
  rolloutSteps: ConfigValues['rolloutSteps']
  /**
   * Device that computes networks and updates. `auto` selects the one with the fastest update and stores its
   * name.
   *
   * Must be one of wasm, reference, cuda, cuda:f32, cuda:tf32, tfjs, tfjs:wasm, tfjs:tensorflow, auto. The
   * default is from this package.
   *
   * @default "wasm"
   */
  device: ConfigValues['device']
  /** The policies. */
  actor: {
    /**
     * Widths of the hidden layers, from input to output.
     *
     * Must be a list of 1 to 8 layer widths such as [128,128], each a whole number from 1 to 8192; unit:
     * units. The default is from HARL, configs/algos_cfgs: hidden_sizes.
     *
     * @default [128,128]
     */
    hidden: ConfigValues['actor']['hidden']
    /**
     * Activation function of the hidden layers.
     *
     * Must be one of relu, tanh, elu, gelu, silu, leakyRelu, selu, sigmoid. The default is from HARL,
     * configs/algos_cfgs: activation_func.
     *
     * @default "relu"
     */
    activation: ConfigValues['actor']['activation']
    /**
     * Whether the input passes through a LayerNorm.
     *
     * Must be true or false. The default is from HARL, configs/algos_cfgs: use_feature_normalization.
     *
     * @default true
     */
    inputNorm: ConfigValues['actor']['inputNorm']
    /**
     * Whether an observation is standardised by the mean and standard deviation of its own elements.
     *
     * Must be true or false. The default is from HARL, envs/mamujoco/multiagent_mujoco/mujoco_multi.py.
     *
     * @default true
     */
    standardise: ConfigValues['actor']['standardise']
    /**
     * Whether the agent's number is appended to its observation as a one-hot vector.
     *
     * Must be true or false. The default is from HARL, envs/mamujoco/multiagent_mujoco/mujoco_multi.py.
     *
     * @default true
     */
    agentId: ConfigValues['actor']['agentId']
    /**
     * Whether the standard deviation of continuous actions is the same in all states or an output of the
     * network.
     *
     * Must be one of independent, dependent. The default is from HARL, configs/algos_cfgs: std_x_coef,
     * std_y_coef.
     *
     * @default "independent"
     */
    std: ConfigValues['actor']['std']
    /**
     * x in the standard deviation of continuous actions, y sigmoid(s / x), where s is learned.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: std_x_coef.
     *
     * @default 1
     */
    stdX: ConfigValues['actor']['stdX']
    /**
     * y in the standard deviation of continuous actions, y sigmoid(s / x): its upper bound.
     *
     * Must be a number above 0; unit: action. The default is from HARL, configs/algos_cfgs: std_y_coef.
     *
     * @default 0.5
     */
    stdY: ConfigValues['actor']['stdY']
    /**
     * Gain of the orthogonal initialisation of the last layer.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: gain.
     *
     * @default 0.01
     */
    headGain: ConfigValues['actor']['headGain']
    /**
     * Whether each agent has its own policy, all agents share one, or each named group of agents shares one.
     *
     * Must be own, shared, or groups of agents by name, such as {"walkers": ["agent_0", "agent_1"], "arms":
     * ["agent_2"]}. The default is from HARL, configs/algos_cfgs: share_param.
     *
     * @default "own"
     */
    sharing: ConfigValues['actor']['sharing']
    /**
     * Number of layers of gated recurrent units after the hidden layers; 0 for a feed-forward network.
     *
     * Must be a whole number from 0 to 8 (0 = none); unit: layers. The default is from HARL,
     * configs/algos_cfgs: use_recurrent_policy.
     *
     * @default 0
     */
    gruLayers: ConfigValues['actor']['gruLayers']
    /**
     * Units of each recurrent layer.
     *
     * Must be a whole number from 1 to 8192; unit: units. The default is from this package,
     * docs/recurrent.md.
     *
     * @default 64
     */
    gruSize: ConfigValues['actor']['gruSize']
    /**
     * Number of time steps through which gradients of recurrent layers pass. It must divide `rolloutSteps`.
     *
     * Must be a whole number from 1 to 1000000; unit: steps. The default is from HARL, configs/algos_cfgs:
     * data_chunk_length.
     *
     * @default 10
     */
    chunk: ConfigValues['actor']['chunk']
  }
  /** The critics. */
  critic: {
    /**
     * Widths of the hidden layers, from input to output.
     *
     * Must be a list of 1 to 8 layer widths such as [128,128], each a whole number from 1 to 8192; unit:
     * units. The default is from HARL, configs/algos_cfgs: hidden_sizes.
     *
     * @default [128,128]
     */
    hidden: ConfigValues['critic']['hidden']
    /**
     * Activation function of the hidden layers.
     *
     * Must be one of relu, tanh, elu, gelu, silu, leakyRelu, selu, sigmoid. The default is from HARL,
     * configs/algos_cfgs: activation_func.
     *
     * @default "relu"
     */
    activation: ConfigValues['critic']['activation']
    /**
     * Whether the input passes through a LayerNorm.
     *
     * Must be true or false. The default is from HARL, configs/algos_cfgs: use_feature_normalization.
     *
     * @default true
     */
    inputNorm: ConfigValues['critic']['inputNorm']
    /**
     * Whether the critics' input is standardised by the mean and standard deviation of its own elements.
     *
     * Must be true or false. The default is from HARL, envs/mamujoco/multiagent_mujoco/mujoco_multi.py.
     *
     * @default true
     */
    standardise: ConfigValues['critic']['standardise']
    /**
     * Learning rate of the critics.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: critic_lr.
     *
     * @default 0.0005
     */
    lr: ConfigValues['critic']['lr']
    /**
     * Passes over the batch in an update of the critics.
     *
     * Must be a whole number from 1 to 1000; unit: epochs. The default is from HARL, configs/algos_cfgs:
     * critic_epoch.
     *
     * @default 5
     */
    epochs: ConfigValues['critic']['epochs']
    /**
     * Parts into which the batch is divided in each epoch.
     *
     * Must be a whole number from 1 to 1000000; unit: mini-batches. The default is from HARL,
     * configs/algos_cfgs: critic_num_mini_batch.
     *
     * @default 1
     */
    miniBatches: ConfigValues['critic']['miniBatches']
    /**
     * Largest change of a value in an update with `critic.clippedLoss`; with `critic.valueNorm`, of the
     * normalised value.
     *
     * Must be a number above 0; unit: value. The default is from HARL, configs/algos_cfgs: clip_param.
     *
     * @default 0.2
     */
    clip: ConfigValues['critic']['clip']
    /**
     * Whether the loss is the larger of two losses: that of the value, and that of the value clipped to a
     * range around the old one.
     *
     * Must be true or false. The default is from HARL, configs/algos_cfgs: use_clipped_value_loss.
     *
     * @default true
     */
    clippedLoss: ConfigValues['critic']['clippedLoss']
    /**
     * Error at which the Huber loss changes from quadratic to linear; with `critic.valueNorm`, of the
     * normalised value.
     *
     * Must be a number above 0; unit: value. The default is from HARL, configs/algos_cfgs: huber_delta.
     *
     * @default 10
     */
    huberDelta: ConfigValues['critic']['huberDelta']
    /**
     * Largest norm of a gradient; larger ones are scaled down to it.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: max_grad_norm.
     *
     * @default 10
     */
    maxGradNorm: ConfigValues['critic']['maxGradNorm']
    /**
     * Whether targets of values are normalised by running estimates of their mean and standard deviation.
     *
     * Must be true or false. The default is from HARL, configs/algos_cfgs: use_valuenorm.
     *
     * @default true
     */
    valueNorm: ConfigValues['critic']['valueNorm']
    /**
     * Factor of the loss.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: value_loss_coef.
     *
     * @default 1
     */
    lossCoef: ConfigValues['critic']['lossCoef']
    /**
     * Input of the critics: the state, the observation of their agent, those of all agents, or these with the
     * actions of the step before; `default` is that of the method.
     *
     * Must be one of default, state, observation, observations, observationsAndActions. The default is from
     * this package.
     *
     * @default "default"
     */
    input: ConfigValues['critic']['input']
    /**
     * Whether each team has a critic, or each agent has one for its own rewards; `default` is that of the
     * method.
     *
     * Must be one of default, team, own. The default is from this package.
     *
     * @default "default"
     */
    sharing: ConfigValues['critic']['sharing']
    /**
     * Number of layers of gated recurrent units after the hidden layers; 0 for a feed-forward network.
     *
     * Must be a whole number from 0 to 8 (0 = none); unit: layers. The default is from HARL,
     * configs/algos_cfgs: use_recurrent_policy.
     *
     * @default 0
     */
    gruLayers: ConfigValues['critic']['gruLayers']
    /**
     * Units of each recurrent layer.
     *
     * Must be a whole number from 1 to 8192; unit: units. The default is from this package,
     * docs/recurrent.md.
     *
     * @default 64
     */
    gruSize: ConfigValues['critic']['gruSize']
    /**
     * Number of time steps through which gradients of recurrent layers pass. It must divide `rolloutSteps`.
     *
     * Must be a whole number from 1 to 1000000; unit: steps. The default is from HARL, configs/algos_cfgs:
     * data_chunk_length.
     *
     * @default 10
     */
    chunk: ConfigValues['critic']['chunk']
  }
  /**
   * Adam's epsilon, for policies and critics.
   *
   * Must be a number above 0. The default is from HARL, configs/algos_cfgs: opti_eps.
   *
   * @default 0.00001
   */
  adamEps: ConfigValues['adamEps']
  /**
   * Discount of rewards per step.
   *
   * Must be a number from 0 to 1; unit: per step. The default is from HARL, configs/algos_cfgs: gamma.
   *
   * @default 0.99
   */
  gamma: ConfigValues['gamma']
  /**
   * Decay of the trace of generalised advantage estimation.
   *
   * Must be a number from 0 to 1; unit: per step. The default is from HARL, configs/algos_cfgs: gae_lambda.
   *
   * @default 0.95
   */
  lambda: ConfigValues['lambda']
  /**
   * Value after a time limit: `bootstrap`, that of the final state; `harl`, the same with HARL's zeroed
   * trace; `terminate`, 0 as at an ordinary end.
   *
   * Must be one of bootstrap, harl, terminate. The default is from Pardo et al. 2018, Time Limits in
   * Reinforcement Learning.
   *
   * @default "bootstrap"
   */
  truncation: ConfigValues['truncation']
  /**
   * Samples over which advantages are standardised: those of all agents together, those of each agent, or
   * none.
   *
   * Must be one of joint, agent, none. The default is from this package.
   *
   * @default "joint"
   */
  advantageNorm: ConfigValues['advantageNorm']
  /**
   * Order in which the agents are updated: `random`, drawn for every iteration; `fixed`, ascending; `score`,
   * the largest predicted gain first.
   *
   * Must be one of random, fixed, score. The default is from HARL, configs/algos_cfgs: fixed_order.
   *
   * @default "random"
   */
  order: ConfigValues['order']
  /** Trust-region updates; read by methods with that update rule. */
  trustRegion: {
    /**
     * Bound on the mean KL divergence of the old policy from the new one in a step; if one budget is split,
     * the mean of these bounds over the agents.
     *
     * Must be a number above 0; unit: nats. The default is from HARL, configs/algos_cfgs: kl_threshold.
     *
     * @default 0.01
     */
    delta: ConfigValues['trustRegion']['delta']
    /**
     * Multiple of the identity that is added to the Fisher matrix.
     *
     * Must be a number, 0 or more. The default is from HARL, utils/trpo_util.py.
     *
     * @default 0.1
     */
    damping: ConfigValues['trustRegion']['damping']
    /**
     * Largest number of conjugate-gradient iterations.
     *
     * Must be a whole number from 1 to 1000; unit: iterations. The default is from HARL, utils/trpo_util.py.
     *
     * @default 10
     */
    cgIterations: ConfigValues['trustRegion']['cgIterations']
    /**
     * Squared norm of the residual at which conjugate gradients stop.
     *
     * Must be a number, 0 or more. The default is from HARL, utils/trpo_util.py.
     *
     * @default 1e-10
     */
    cgTolerance: ConfigValues['trustRegion']['cgTolerance']
    /**
     * Largest number of step lengths that the line search tries.
     *
     * Must be a whole number from 1 to 1000; unit: trials. The default is from HARL, configs/algos_cfgs:
     * ls_step.
     *
     * @default 10
     */
    lineSearchSteps: ConfigValues['trustRegion']['lineSearchSteps']
    /**
     * Factor applied to the step length after a refused trial.
     *
     * Must be a number above 0 and below 1. The default is from HARL, configs/algos_cfgs: backtrack_coeff.
     *
     * @default 0.8
     */
    backtrack: ConfigValues['trustRegion']['backtrack']
    /**
     * Least share of its predicted gain that a step must realise.
     *
     * Must be a number from 0 to 1. The default is from HARL, configs/algos_cfgs: accept_ratio.
     *
     * @default 0.5
     */
    acceptRatio: ConfigValues['trustRegion']['acceptRatio']
    /**
     * Parts into which the batch is divided, each with a full trust-region step.
     *
     * Must be a whole number from 1 to 1000000; unit: mini-batches. The default is from HARL,
     * algorithms/actors.
     *
     * @default 1
     */
    miniBatches: ConfigValues['trustRegion']['miniBatches']
    /**
     * Fisher products use one of every so many valid rows.
     *
     * Must be a whole number from 1 to 1000; unit: rows. The default is from this package,
     * docs/fewer-products.md.
     *
     * @default 1
     */
    fisherStride: ConfigValues['trustRegion']['fisherStride']
    /**
     * Preconditioner of conjugate gradients: none, or Kronecker factors of the Fisher matrix.
     *
     * Must be one of none, kfac. The default is from this package, docs/fewer-products.md.
     *
     * @default "none"
     */
    preconditioner: ConfigValues['trustRegion']['preconditioner']
    /**
     * Steps of a policy after which its preconditioner is computed again.
     *
     * Must be a whole number from 1 to 1000000; unit: steps of a policy. The default is from this package,
     * docs/fewer-products.md.
     *
     * @default 1
     */
    preconditionerAge: ConfigValues['trustRegion']['preconditionerAge']
  }
  /**
   * Division of one KL budget, `trustRegion.delta` times the number of policies; read by methods that compare
   * policies.
   */
  allocation: {
    /**
     * Policies that are scored again before a turn: all remaining ones, the one about to move, or none. Also
     * read with `order=score`.
     *
     * Must be one of all, lazy, once. The default is from this package, docs/kl-allocation.md.
     *
     * @default "lazy"
     */
    rescore: ConfigValues['allocation']['rescore']
    /**
     * Least share of a policy with a gain to expect.
     *
     * Must be a number from 0 to 1; unit: equal shares. The default is from this package,
     * docs/kl-allocation.md.
     *
     * @default 0
     */
    min: ConfigValues['allocation']['min']
    /**
     * Largest share of a policy.
     *
     * Must be a number, 1 or more; unit: equal shares. The default is from this package,
     * docs/kl-allocation.md.
     *
     * @default 4
     */
    max: ConfigValues['allocation']['max']
  }
  /** Clipped updates; read by methods with that update rule. */
  clipped: {
    /**
     * Learning rate of the policies.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: lr.
     *
     * @default 0.0005
     */
    lr: ConfigValues['clipped']['lr']
    /**
     * Distance from 1 at which the ratio of new to old probability is clipped.
     *
     * Must be a number above 0 and below 1. The default is from HARL, configs/algos_cfgs: clip_param.
     *
     * @default 0.2
     */
    clip: ConfigValues['clipped']['clip']
    /**
     * Passes over the batch in an update of a policy.
     *
     * Must be a whole number from 1 to 1000; unit: epochs. The default is from HARL, configs/algos_cfgs:
     * ppo_epoch.
     *
     * @default 5
     */
    epochs: ConfigValues['clipped']['epochs']
    /**
     * Parts into which the batch is divided in each epoch, each with one step.
     *
     * Must be a whole number from 1 to 1000000; unit: mini-batches. The default is from HARL,
     * configs/algos_cfgs: actor_num_mini_batch.
     *
     * @default 1
     */
    miniBatches: ConfigValues['clipped']['miniBatches']
    /**
     * Factor of the policy's entropy in the objective.
     *
     * Must be a number, 0 or more; unit: per nat. The default is from HARL, configs/algos_cfgs: entropy_coef.
     *
     * @default 0.01
     */
    entropyCoef: ConfigValues['clipped']['entropyCoef']
    /**
     * Largest norm of a gradient; larger ones are scaled down to it.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: max_grad_norm.
     *
     * @default 10
     */
    maxGradNorm: ConfigValues['clipped']['maxGradNorm']
    /**
     * Whether the learning rates of policies and critics fall linearly to 0 over the run. Such a run cannot
     * be extended.
     *
     * Must be true or false. The default is from HARL, configs/algos_cfgs: use_linear_lr_decay.
     *
     * @default false
     */
    lrDecay: ConfigValues['clipped']['lrDecay']
  }
  /** Initial networks of a run. */
  init: {
    /**
     * Folder of a run whose latest policies, critics and value normalisers are the initial ones; `none`:
     * random parameters.
     *
     * Must be none or the folder of a run. The default is from this package.
     *
     * @default "none"
     */
    from: ConfigValues['init']['from']
  }
  /** Opponents of the one team that learns, in tasks of several teams. */
  opponents: {
    /**
     * `none`: all agents learn; `past`: opponents use earlier policies of the learning team; otherwise the
     * folder of a run whose policies they use.
     *
     * Must be none, past or the folder of a run. The default is from this package.
     *
     * @default "none"
     */
    from: ConfigValues['opponents']['from']
    /**
     * Team that learns; the first one if empty.
     *
     * Must be the name of a team. The default is from this package.
     *
     * @default ""
     */
    learner: ConfigValues['opponents']['learner']
    /**
     * Iterations between additions of the learning team's policies to the pool of past opponents.
     *
     * Must be a whole number from 1 to 1000000000; unit: iterations. The default is from this package,
     * docs/teams.md.
     *
     * @default 10
     */
    every: ConfigValues['opponents']['every']
    /**
     * Largest number of policies in the pool; the oldest is removed first.
     *
     * Must be a whole number from 1 to 1000; unit: policies. The default is from this package, docs/teams.md.
     *
     * @default 10
     */
    pool: ConfigValues['opponents']['pool']
  }
  /** Learning from a replay of earlier rollouts; read by methods that do. */
  offPolicy: {
    /**
     * Learning rate of the policies; the critics' is `critic.lr`.
     *
     * Must be a number above 0. The default is from HARL, configs/algos_cfgs: lr.
     *
     * @default 0.0005
     */
    lr: ConfigValues['offPolicy']['lr']
    /**
     * Transitions that an update step draws.
     *
     * Must be a whole number from 1 to 1000000; unit: transitions. The default is from HARL,
     * configs/algos_cfgs: batch_size.
     *
     * @default 1000
     */
    batchSize: ConfigValues['offPolicy']['batchSize']
    /**
     * Transitions that the replay keeps, in whole rollouts.
     *
     * Must be a whole number from 1 to 1000000000; unit: transitions. The default is from HARL,
     * configs/algos_cfgs: buffer_size.
     *
     * @default 1000000
     */
    bufferSize: ConfigValues['offPolicy']['bufferSize']
    /**
     * Number of initial steps of each environment with uniform actions; learning starts after them.
     *
     * Must be a whole number from 0 to 1000000000; unit: steps. The default is from HARL, configs/algos_cfgs:
     * warmup_steps, shared by n_rollout_threads.
     *
     * @default 1000
     */
    warmup: ConfigValues['offPolicy']['warmup']
    /**
     * Update steps per step of every environment.
     *
     * Must be a number above 0; unit: updates per step. The default is from HARL, configs/algos_cfgs:
     * update_per_train.
     *
     * @default 1
     */
    updatesPerStep: ConfigValues['offPolicy']['updatesPerStep']
    /**
     * Rewards that a target sums up before the value of a state.
     *
     * Must be a whole number from 1 to 1000; unit: steps. The default is from HARL, configs/algos_cfgs:
     * n_step.
     *
     * @default 1
     */
    nStep: ConfigValues['offPolicy']['nStep']
    /**
     * Weight of the new parameters in the target networks after an update step.
     *
     * Must be a number above 0 and at most 1. The default is from HARL, configs/algos_cfgs: polyak.
     *
     * @default 0.005
     */
    polyak: ConfigValues['offPolicy']['polyak']
    /**
     * Standard deviation of the exploration noise.
     *
     * Must be a number, 0 or more; unit: halves of an action's range. The default is from HARL,
     * configs/algos_cfgs: expl_noise.
     *
     * @default 0.1
     */
    noise: ConfigValues['offPolicy']['noise']
  }
  /** Evaluations during the run. */
  evaluation: {
    /**
     * Iterations between evaluations; the last iteration is always followed by one.
     *
     * Must be a whole number from 0 to 1000000000 (0 = never); unit: iterations. The default is from HARL,
     * configs/algos_cfgs: eval_interval.
     *
     * @default 25
     */
    every: ConfigValues['evaluation']['every']
    /**
     * Episodes of an evaluation, in which agents take the modes of their policies.
     *
     * Must be a whole number from 1 to 1000000; unit: episodes. The default is from HARL,
     * tuned_configs/mujoco.
     *
     * @default 40
     */
    episodes: ConfigValues['evaluation']['episodes']
  }
  /** Checkpoints. */
  checkpoint: {
    /**
     * Iterations between checkpoints.
     *
     * Must be a whole number from 1 to 1000000000; unit: iterations. The default is from this package.
     *
     * @default 10
     */
    every: ConfigValues['checkpoint']['every']
    /**
     * Checkpoints of iterations that are multiples of this number are never deleted.
     *
     * Must be a whole number from 0 to 1000000000 (0 = none); unit: iterations. The default is from this
     * package.
     *
     * @default 0
     */
    keepEvery: ConfigValues['checkpoint']['keepEvery']
  }
}
