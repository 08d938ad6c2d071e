// Recurrent layers of an exported policy, one step at a time. The record is described in src/kernels/layout.ts.

import {
  POLICY_RECURRENT_BETA,
  POLICY_RECURRENT_COUNT,
  POLICY_RECURRENT_GAMMA,
  POLICY_RECURRENT_GATES,
  POLICY_RECURRENT_LAYERS,
  POLICY_RECURRENT_LAYER_BYTES,
  POLICY_RECURRENT_LAYER_INPUT,
  POLICY_RECURRENT_LAYER_INPUT_BIAS,
  POLICY_RECURRENT_LAYER_STATE,
  POLICY_RECURRENT_LAYER_STATE_BIAS,
  POLICY_RECURRENT_NEXT,
  POLICY_RECURRENT_OUT,
  POLICY_RECURRENT_PRODUCT,
  POLICY_RECURRENT_SIZE,
  POLICY_RECURRENT_STATES,
} from './generated/layout'
import { gruRow } from './gru'
import { layerNorm } from './layernorm'
import { matrixVector } from './matvec'

/** Takes the layers of a record one step further on x [width]. Returns the address of what enters the head. */
export function recurrentLayers(record: usize, x: usize, width: i32): usize {
  const size = load<i32>(record, POLICY_RECURRENT_SIZE)
  const bytes = (size as usize) << 2
  const product = load<usize>(record, POLICY_RECURRENT_PRODUCT)
  const gates = load<usize>(record, POLICY_RECURRENT_GATES)
  const next = load<usize>(record, POLICY_RECURRENT_NEXT)
  let state = load<usize>(record, POLICY_RECURRENT_STATES)
  let layer = record + POLICY_RECURRENT_LAYERS
  for (let left = load<i32>(record, POLICY_RECURRENT_COUNT); left > 0; left--) {
    const input = load<usize>(layer, POLICY_RECURRENT_LAYER_INPUT)
    matrixVector(x, width, input, load<usize>(layer, POLICY_RECURRENT_LAYER_INPUT_BIAS), product, 3 * size)
    const weight = load<usize>(layer, POLICY_RECURRENT_LAYER_STATE)
    matrixVector(state, size, weight, load<usize>(layer, POLICY_RECURRENT_LAYER_STATE_BIAS), gates, 3 * size)
    gruRow(product, state, gates, next, size)
    memory.copy(state, next, bytes)
    x = state
    width = size
    state += bytes
    layer += POLICY_RECURRENT_LAYER_BYTES
  }
  const out = load<usize>(record, POLICY_RECURRENT_OUT)
  const gamma = load<usize>(record, POLICY_RECURRENT_GAMMA)
  layerNorm(x, gamma, load<usize>(record, POLICY_RECURRENT_BETA), 0, 0, out, size, 0, 1)
  return out
}
