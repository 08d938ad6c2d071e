import type { MjModel } from '@mujoco/mujoco'
import { doublesOf, integersOf } from './load.js'

/** `body_simple` of a body that only slides. */
const SLIDES = 2
const AXES = 3

/**
 * Gives bodies that only slide the weights in constraints of MuJoCo before version 3. A weight measures how easily a
 * constraint moves a body; the larger it is, the softer are contacts and limits. For such bodies MuJoCo 3 uses 1 /
 * mass, without the armature of their joints and the axes along which they cannot move. If the armature is most of the
 * inertia, as for Pusher's object, contacts yield thousands of times more easily.
 */
export function weighAsPublished(model: MjModel): void {
  const simple = integersOf(model, 'body_simple')
  const masses = doublesOf(model, 'body_mass')
  const armatures = doublesOf(model, 'dof_armature')
  const bodyWeights = doublesOf(model, 'body_invweight0')
  const jointWeights = doublesOf(model, 'dof_invweight0')
  for (let body = 0; body < model.nbody; body++) {
    if (simple[body] !== SLIDES) continue
    const first = integersOf(model, 'body_dofadr')[body]
    let sum = 0
    for (let dof = first; dof < first + integersOf(model, 'body_dofnum')[body]; dof++) {
      jointWeights[dof] = 1 / (masses[body] + armatures[dof])
      sum += jointWeights[dof]
    }
    bodyWeights[2 * body] = sum / AXES
  }
}
