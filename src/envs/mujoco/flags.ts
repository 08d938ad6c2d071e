import type { MjModel } from '@mujoco/mujoco'
import type { Mujoco } from './load.js'

const PRINTED = '/model.txt'

/**
 * The boolean arrays of a compiled model (`jnt_limited`, `actuator_ctrllimited`, ...), by name. The API cannot read
 * them (it registers no type for them), so they are taken from MuJoCo's own print-out of the model.
 */
export function modelFlags(mujoco: Mujoco, model: MjModel): Record<string, number[]> {
  const { FS } = mujoco.api
  mujoco.api.mj_printFormattedModel(model, PRINTED, '%.17g')
  const text = FS.readFile(PRINTED, { encoding: 'utf8' }) as unknown as string
  FS.unlink(PRINTED)
  const flags: Record<string, number[]> = {}
  for (const [, name, value] of text.matchAll(/^ +((?:jnt|actuator|tendon|eq)_\w+) +([01]) *$/gm)) {
    if (isFlag(mujoco, model, name)) (flags[name] ??= []).push(Number(value))
  }
  return flags
}

function isFlag(mujoco: Mujoco, model: MjModel, name: string): boolean {
  try {
    void (model as unknown as Record<string, unknown>)[name]
    return false
  } catch {
    // The error came through MuJoCo's own frames, which have not given their stack back.
    mujoco.unwind()
    return true
  }
}
