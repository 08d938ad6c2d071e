// Runs MuJoCo's own mj_step from inside MuJoCo's memory and function table, so that one step of any number of worlds is
// one call from JavaScript. Holds no data of its own: every address belongs to MuJoCo.

/** Largest magnitude of a state element that still counts as sound: MuJoCo's mjMAXVAL. */
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
    // Written so that NaN, which compares false with everything, counts as bad.
    if (!(abs(x) <= LARGEST)) return true
  }
  return false
}

/** 1 + the index of the first warning that MuJoCo has counted, 0 when there is none. */
function firstWarning(warnings: usize, count: i32): i32 {
  for (let i = 0; i < count; i++) {
    if (load<i32>(warnings + <usize>i * WARNING_BYTES, 4) != 0) return i + 1
  }
  return 0
}

// Offsets in a world's record, all of 32-bit integers; src/envs/mujoco/batch.ts has the same list.
const NEXT: usize = 0
const RESULT: usize = 4
const MODEL: usize = 8
const DATA: usize = 12
const FRAMES: usize = 16
const MJ_STEP: usize = 20
const AFTER: usize = 24
const WARNINGS: usize = 28
const WARNING_COUNT: usize = 32
const QPOS: usize = 36
const NQ: usize = 40
const QVEL: usize = 44
const NV: usize = 48

/** The result of a world whose step has not come to its end. */
const UNFINISHED: i32 = -1

/**
 * Advances one world by its physics frames, and stops at the first frame that MuJoCo warns about. AFTER (0: none) is
 * called once at the end; it and MJ_STEP are positions in the function table.
 * @returns 0, or 1 + the index of the warning that describes what went bad
 */
function advance(world: usize): i32 {
  const model = <usize>load<u32>(world, MODEL)
  const data = <usize>load<u32>(world, DATA)
  const frames = load<i32>(world, FRAMES)
  const mjStep = load<u32>(world, MJ_STEP)
  for (let frame = 0; frame < frames; frame++) {
    call_indirect<void>(mjStep, model, data)
    const warning = firstWarning(load<u32>(world, WARNINGS), load<i32>(world, WARNING_COUNT))
    if (warning != 0) return warning
  }
  // mj_step checks the state it starts from; the state it ends in is checked here.
  if (isBad(load<u32>(world, QPOS), load<i32>(world, NQ))) return 1 + BAD_QPOS
  if (isBad(load<u32>(world, QVEL), load<i32>(world, NV))) return 1 + BAD_QVEL
  const after = load<u32>(world, AFTER)
  if (after != 0) call_indirect<void>(after, model, data)
  return 0
}

/** Advances a list of worlds, linked by NEXT, and leaves each one's result in its record. */
export function advanceAll(first: usize): void {
  for (let world = first; world != 0; world = load<u32>(world, NEXT)) {
    store<i32>(world, UNFINISHED, RESULT)
    store<i32>(world, advance(world), RESULT)
  }
}
