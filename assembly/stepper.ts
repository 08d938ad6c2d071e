// Runs MuJoCo's own mj_step from inside MuJoCo's memory and function table, so that one environment step is one
// call from JavaScript. Holds no data of its own: every address belongs to MuJoCo.

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

/**
 * Advances one world by `frames` physics frames, and stops at the first frame that MuJoCo warns about.
 * `mjStep` and `after` are positions in the function table; `after` (0: none) is called once at the end.
 * @returns 0, or 1 + the index of the warning that describes what went bad
 */
export function advance(
  mjStep: u32,
  after: u32,
  model: usize,
  data: usize,
  frames: i32,
  warnings: usize,
  warningCount: i32,
  qpos: usize,
  nq: i32,
  qvel: usize,
  nv: i32,
): i32 {
  for (let frame = 0; frame < frames; frame++) {
    call_indirect<void>(mjStep, model, data)
    const warning = firstWarning(warnings, warningCount)
    if (warning != 0) return warning
  }
  // mj_step checks the state it starts from; the state it ends in is checked here.
  if (isBad(qpos, nq)) return 1 + BAD_QPOS
  if (isBad(qvel, nv)) return 1 + BAD_QVEL
  if (after != 0) call_indirect<void>(after, model, data)
  return 0
}
