// Calls MuJoCo's mj_step through MuJoCo's own memory and function table, so that a step of any number of worlds is one
// call from JavaScript. The module has no data: every address belongs to MuJoCo.

import {
  WORLD_AFTER,
  WORLD_DATA,
  WORLD_FRAMES,
  WORLD_MJ_STEP,
  WORLD_MODEL,
  WORLD_NEXT,
  WORLD_NQ,
  WORLD_NV,
  WORLD_QPOS,
  WORLD_QVEL,
  WORLD_RESULT,
  WORLD_RESULT_UNFINISHED,
  WORLD_WARNINGS,
  WORLD_WARNING_COUNT,
} from './generated/layout'

/** Largest valid magnitude of a state element: MuJoCo's mjMAXVAL. */
const LARGEST: f64 = 1e10

/** Bytes of one mjWarningStat: `int lastinfo; int number`. */
const WARNING_BYTES: usize = 8

/** Positions of the two state checks in MuJoCo's list of warnings: mjWARN_BADQPOS, mjWARN_BADQVEL. */
const BAD_QPOS: i32 = 3
const BAD_QVEL: i32 = 4

/** Whether any of the `count` doubles at `address` is NaN, infinite or beyond LARGEST. */
function isBad(address: usize, count: i32): bool {
  for (let i = 0; i < count; i++) {
    const x = load<f64>(address + ((<usize>i) << 3))
    // NaN compares false with everything, so this form of the test also rejects NaN.
    if (!(abs(x) <= LARGEST)) return true
  }
  return false
}

/** 1 + index of the first warning that MuJoCo has counted, or 0 if there is none. */
function firstWarning(warnings: usize, count: i32): i32 {
  for (let i = 0; i < count; i++) {
    if (load<i32>(warnings + <usize>i * WARNING_BYTES, 4) != 0) return i + 1
  }
  return 0
}

/**
 * Advances one world by its physics frames and stops at the first frame with a MuJoCo warning. WORLD_AFTER (0: none) is
 * called once at the end; it and WORLD_MJ_STEP are positions in the function table.
 * @returns 0, or 1 + index of the warning
 */
function advance(world: usize): i32 {
  const model = <usize>load<u32>(world, WORLD_MODEL)
  const data = <usize>load<u32>(world, WORLD_DATA)
  const frames = load<i32>(world, WORLD_FRAMES)
  const mjStep = load<u32>(world, WORLD_MJ_STEP)
  for (let frame = 0; frame < frames; frame++) {
    call_indirect<void>(mjStep, model, data)
    const warning = firstWarning(load<u32>(world, WORLD_WARNINGS), load<i32>(world, WORLD_WARNING_COUNT))
    if (warning != 0) return warning
  }
  // mj_step checks the state before the step. The state after it is checked here.
  if (isBad(load<u32>(world, WORLD_QPOS), load<i32>(world, WORLD_NQ))) return 1 + BAD_QPOS
  if (isBad(load<u32>(world, WORLD_QVEL), load<i32>(world, WORLD_NV))) return 1 + BAD_QVEL
  const after = load<u32>(world, WORLD_AFTER)
  if (after != 0) call_indirect<void>(after, model, data)
  return 0
}

/** Advances a list of worlds, linked by WORLD_NEXT, and stores the result of each in its record. */
export function advanceAll(first: usize): void {
  for (let world = first; world != 0; world = load<u32>(world, WORLD_NEXT)) {
    store<i32>(world, WORLD_RESULT_UNFINISHED, WORLD_RESULT)
    store<i32>(world, advance(world), WORLD_RESULT)
  }
}
