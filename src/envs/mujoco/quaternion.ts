/** Below this, MuJoCo takes a length for 0 or 1. */
const TINY = 1e-15

/** Brings the quaternion at a position in memory to length 1, as MuJoCo does it. */
export function normaliseQuaternion(memory: Float64Array, at: number): void {
  let square = 0
  for (let i = 0; i < 4; i++) square += memory[at + i] * memory[at + i]
  const norm = Math.sqrt(square)
  if (norm < TINY) memory.set([1, 0, 0, 0], at)
  else if (Math.abs(norm - 1) > TINY) for (let i = 0; i < 4; i++) memory[at + i] *= 1 / norm
}
