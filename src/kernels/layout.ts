/**
 * Layouts and constants shared by TypeScript and AssemblyScript. scripts/assembly.mjs generates from them
 * assembly/generated/layout.ts: entry `rowsPerBlock` of `HEADER` becomes `HEADER_ROWS_PER_BLOCK`.
 */

/** Header of a program: offsets in bytes. */
export const HEADER = {
  /** i32: number of rows in the run. */
  rows: 0,
  /** i32: number of rows per ticket. */
  rowsPerBlock: 4,
  /** i32: number of phases. */
  phases: 8,
  /** i32: address of the blocks' gradients, f32 [blocks, gradientStride]. */
  partialGradients: 12,
  /** i32: distance in floats between the gradients of consecutive blocks. */
  gradientStride: 16,
  /** i32: address of the blocks' sums, f64 [blocks, sumsPerBlock]. */
  partialSums: 20,
  /** i32 */
  sumsPerBlock: 24,
  /** f64: factor of the gradient. */
  scale: 32,
  /** Size of the header; the phases follow it. */
  bytes: 40,
} as const

/** Phase of a program: offsets in bytes. */
export const PHASE = {
  /** i32: one of `PHASE_KIND`. */
  kind: 0,
  /** i32: address of the operations in a phase over rows; in a phase of tasks, of a table of the tasks' addresses. */
  operations: 4,
  /** i32: number of tasks. */
  count: 8,
  bytes: 16,
} as const

export const PHASE_KIND = { rows: 0, tasks: 1 } as const

/** Control block of the threads that share a program: offsets in bytes. */
export const CONTROL = {
  /** u64: tickets << 32 | next ticket. One atomic addition takes a ticket and shows whether any was left. */
  state: 0,
  /** i32: number of finished tickets. */
  finished: 8,
  /** i32: number of programs so far, on which helpers wait. */
  generation: 12,
  /** i32: address of the program. */
  program: 16,
  /** i32: 1 if helpers should leave. */
  leave: 20,
  /** i32: number of helpers. */
  helpers: 24,
  bytes: 64,
} as const

/** Number of columns in a whole packed panel of weights. */
export const PANEL = 16

/** Number of columns in the narrowest panel, to a multiple of which the columns of a weight are padded. */
export const PANEL_REST = 4

/** Numbers of columns in the panels of an exported policy. A remainder of at most `narrowUntil` has a narrow panel. */
export const POLICY_PANEL = { wide: 16, narrow: 8, narrowUntil: 8 } as const

/** Record of an exported policy, at address 0: offsets in bytes. */
export const POLICY = {
  /** i32: address of the observation. */
  observation: 0,
  observationSize: 4,
  /** i32: index and length of the one-hot id. */
  agent: 8,
  agents: 12,
  /** i32: 1 to standardise. */
  standardise: 16,
  /** i32: addresses of the input vector and of the gamma (0: none) and beta of its LayerNorm. */
  input: 20,
  gamma: 24,
  beta: 28,
  /** i32: number of the activation. */
  activation: 32,
  /** i32: address of the action. */
  action: 36,
  /** i32: address of the head's parameter vector; of policies that choose, i32 [actionSize] with their numbers of choices. */
  headVector: 40,
  actionSize: 44,
  /** f64[2]: numbers of the head. */
  headConstants: 48,
  /** i32, in place of the numbers: address of the mask of available actions. */
  available: 48,
  /** u32: purpose and stream of the noise of samples. */
  purpose: 64,
  stream: 68,
  /** i32: address of the record of the recurrent layers before the head; 0 for none. */
  recurrent: 72,
  /** The layers, the head last. */
  layers: 76,
} as const

/** Recurrent layers of an exported policy: offsets in bytes of 32-bit integers. */
export const POLICY_RECURRENT = {
  /** Units of a layer, and number of layers. */
  size: 0,
  count: 4,
  /** Address of the layer that follows, the head. */
  head: 8,
  /** Addresses of the states f32 [count, size], and of what enters the head. */
  states: 12,
  out: 16,
  /** Addresses of the LayerNorm behind the layers. */
  gamma: 20,
  beta: 24,
  /** Addresses of working space: W x + b, the gates and the next state. */
  product: 28,
  gates: 32,
  next: 36,
  layers: 40,
} as const

/** One of them: addresses of W, b, U and u, the weights packed. */
export const POLICY_RECURRENT_LAYER = {
  input: 0,
  inputBias: 4,
  state: 8,
  stateBias: 12,
  bytes: 16,
} as const

/** Layer of an exported policy: offsets in bytes of 32-bit integers. */
export const POLICY_LAYER = {
  outputs: 0,
  /** Addresses of the packed weights, of the bias and of the output. */
  weight: 4,
  bias: 8,
  y: 12,
  /** Addresses of the LayerNorm that follows, 0 in the head. */
  gamma: 16,
  beta: 20,
  bytes: 24,
} as const

/** Columns of the f64 table of the deviations of a distribution, with one row per dimension. */
export const DEVIATION = {
  sigma: 0,
  logSigma: 1,
  /** 1 / sigma^2 */
  precision: 2,
  /** d log sigma / d log_std */
  slope: 3,
  /** Length of a row. */
  row: 4,
} as const

/** Effects of a time limit on the trace of advantages. The index is the argument of the kernel. */
export const TRUNCATION_MODES = ['bootstrap', 'harl', 'terminate'] as const

/** Record of a MuJoCo world, all of which are stepped in one call: indices of 32-bit integers. */
export const WORLD = {
  /** Address of the next record in the list, or 0 at its end. */
  next: 0,
  /** 0, 1 + index of a warning, or a negative result of a step that is not finished. */
  result: 1,
  /** Addresses of the model and of the data. */
  model: 2,
  data: 3,
  /** Number of physics frames in the step. */
  frames: 4,
  /** Positions in the function table of mj_step, and of the function called at the end of the step (0: none). */
  mjStep: 5,
  after: 6,
  warnings: 7,
  warningCount: 8,
  /** Addresses and lengths of the state. */
  qpos: 9,
  nq: 10,
  qvel: 11,
  nv: 12,
} as const

/** Results of a step that is not finished. */
export const WORLD_RESULT = { unfinished: -1 } as const
