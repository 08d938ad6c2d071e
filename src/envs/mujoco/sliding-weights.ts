import type { MjModel } from '@mujoco/mujoco'
import { doublesOf, integersOf } from './load.js'

/** `body_simple` of a body that only slides. */
const SLIDES = 2
const AXES = 3

/**
 * Gives bodies that only slide the weights in constraints that MuJoCo had before version 3. A weight says how easily a
 * constraint moves a body; contacts and limits are as soft as it is large. For such bodies MuJoCo 3 takes 1 / mass, and
 * leaves out both the armature of their joints and the axes along which they cannot move: where the armature is most of
 * what has to be moved, as it is of Pusher's object, contacts give way thousands of times more easily.
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
