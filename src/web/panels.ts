/** A curve of a run. */
export interface PanelSeries {
  /** Name of the number in TensorBoard; of an agent's number without the agent's id. */
  readonly name: string
  readonly label: string
  /** Whether every agent of a run has the number. */
  readonly ofAgents?: true
  /** Factor from the number to the panel's unit; 1 where it is absent. */
  readonly factor?: number
}

/** A chart. Dashes distinguish its series, because colours are those of the runs. */
export interface Panel {
  readonly title: string
  /** Unit of the y axis. */
  readonly unit: string
  /** A sentence on how to read the chart. */
  readonly note: string
  readonly series: readonly PanelSeries[]
}

/** Name of the series of evaluations, which has separate steps. */
export const EVALUATION = 'return/evaluation'

const ofAgents = true
const factor = 100

/** The charts of the page, in order. The server sends the numbers of their series, the page draws them. */
export const PANELS: readonly Panel[] = [
  {
    title: 'Return',
    unit: 'reward per episode',
    note: 'Mean over the episodes that ended in the iteration, with sampled actions; evaluations act deterministically.',
    series: [
      { name: 'return/training', label: 'training' },
      { name: EVALUATION, label: 'evaluation' },
    ],
  },
  {
    title: 'Episode length',
    unit: 'steps',
    note: 'Mean over the episodes that ended in the iteration.',
    series: [{ name: 'episodes/length/mean', label: 'length' }],
  },
  {
    title: 'KL divergence',
    unit: 'nats per update',
    note: 'How far an update moved a policy, beside how far it was allowed to.',
    series: [
      { name: 'klUsed', label: 'used', ofAgents },
      { name: 'klAllowed', label: 'allowed', ofAgents },
    ],
  },
  {
    title: 'Line search',
    unit: 'per update',
    note: 'Step lengths that were tried until one was good enough, and steps that were not taken.',
    series: [
      { name: 'lineSearchTrials', label: 'trials', ofAgents },
      { name: 'rejectedSteps', label: 'rejected steps', ofAgents },
    ],
  },
  {
    title: 'Entropy',
    unit: 'nats',
    note: 'Spread of the actions, which falls while a policy settles.',
    series: [{ name: 'entropy', label: 'entropy', ofAgents }],
  },
  {
    title: 'Critic',
    unit: 'explained variance',
    note: 'Share of the variance of returns that the critic explains: 1 is perfect, 0 no better than their mean.',
    series: [{ name: 'critic/explainedVariance', label: 'explained variance' }],
  },
  {
    title: 'Clipping',
    unit: '% of samples',
    note: 'Samples whose ratio the clip stopped.',
    series: [{ name: 'clipFraction', label: 'clipped', ofAgents, factor }],
  },
  {
    title: 'Time split',
    unit: '% of an iteration',
    note: 'Shares of the wall time.',
    series: [
      { name: 'time/learner', label: 'learner', factor },
      { name: 'time/physics', label: 'physics', factor },
      { name: 'time/policy', label: 'policies', factor },
      { name: 'time/rest', label: 'rest', factor },
    ],
  },
  {
    title: 'Speed',
    unit: 'steps per second',
    note: 'Steps of all environments together; learning is part of the time.',
    series: [{ name: 'speed/stepsPerSecond', label: 'speed' }],
  },
  {
    title: 'Faults',
    unit: 'per iteration',
    note: 'What broke and was made good: steps that do not count, threads and processes that were started again.',
    series: [
      { name: 'faults/brokenSteps', label: 'broken steps' },
      { name: 'faults/workerRestarts', label: 'worker restarts' },
      { name: 'faults/environmentRestarts', label: 'environment restarts' },
      { name: 'critic/skippedSteps', label: 'skipped critic steps' },
    ],
  },
]
