import test from 'node:test'
import { listEnvs } from '../../src/envs/index.js'
import { BITS } from './bits.js'

for (const { id } of listEnvs().filter(({ id }) => id.startsWith('mamujoco/'))) {
  for (const [what, check] of Object.entries(BITS)) test(`${id}: ${what}`, () => check(id))
}
