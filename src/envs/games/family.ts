import { definedFamily } from '../defined-family.js'
import { figure1, twoPeaks } from './plane.js'
import { proposition1 } from './proposition-1.js'
import { skirmish } from './skirmish.js'

/** Small games that illustrate properties of methods. Users' finite games are read from files (`matrix-file.ts`). */
export const games = definedFamily('games', {
  'proposition-1': proposition1,
  'figure-1': figure1,
  'two-peaks': twoPeaks,
  skirmish,
})
