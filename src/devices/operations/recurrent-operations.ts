import { chunk, integer, optional, panels, rows, tensor } from './arguments.js'

const kept = { before: rows('width'), linked: rows('1'), gates: rows('4 * width') }
const stateMatrix = rows('below * width + width + above * width')

/** Operations of recurrent layers, a part of `OPERATIONS`. */
export const RECURRENT_OPERATIONS = {
  gru: {
    words: {
      x: rows('3 * width'),
      states: stateMatrix,
      starts: optional(rows('1')),
      packed: panels('packTransposed', '3 * width', 'width'),
      bias: tensor('3 * width'),
      ...kept,
      out: rows('width'),
      next: optional(stateMatrix),
      width: integer,
      below: integer,
      above: integer,
      chunk,
    },
    file: 'gru',
    calls: [
      'gru(x, states, (below + 1 + above) * width, below * width, starts, packed, bias, before, linked, gates, out, next, width, chunk, from, to)',
    ],
  },
  gruTangent: {
    words: {
      dx: rows('3 * width'),
      product: rows('3 * width'),
      packed: panels('packTransposed', '3 * width', 'width'),
      ...kept,
      out: rows('width'),
      width: integer,
      chunk,
    },
    file: 'gru',
    calls: ['gruTangent(dx, product, packed, before, linked, gates, out, width, chunk, from, to)'],
  },
  gruAdjoint: {
    words: {
      g: rows('width'),
      packed: panels('packPlain', '3 * width', 'width'),
      ...kept,
      gx: rows('3 * width'),
      product: rows('3 * width'),
      width: integer,
      chunk,
    },
    file: 'gru',
    calls: ['gruAdjoint(g, packed, before, linked, gates, gx, product, width, chunk, from, to)'],
  },
} as const
