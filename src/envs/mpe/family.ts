import { definedFamily, type DefinedEnvironment } from '../defined-family.js'
import { adversary } from './adversary.js'
import { push } from './push.js'
import { reference } from './reference.js'
import { speakerListener } from './speaker-listener.js'
import { spread } from './spread.js'
import { tag } from './tag.js'
import { defineParticles, particleOptions, type ParticleTask } from './task.js'

/** The particle tasks, by name. */
export const PARTICLE_TASKS: Readonly<Record<string, ParticleTask>> = {
  spread,
  reference,
  'speaker-listener': speakerListener,
  tag,
  adversary,
  push,
}

/** Multi-agent particle environments (R. Lowe et al. 2017), as Farama's MPE2 has them. */
export const mpe = definedFamily(
  'mpe',
  Object.fromEntries(
    Object.entries(PARTICLE_TASKS).map(([name, task]): [string, DefinedEnvironment] => [
      name,
      {
        description: task.description,
        options: particleOptions(task),
        define: (id, values) => defineParticles(id, task, values),
      },
    ]),
  ),
)
