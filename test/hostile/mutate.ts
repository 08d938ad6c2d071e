import type { Random } from '../export/random-policy.js'

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.whole(0, values.length - 1)]
}

type ByteChange = (bytes: Uint8Array, random: Random) => Uint8Array

const place = (bytes: Uint8Array, random: Random) => random.whole(0, Math.max(0, bytes.length - 1))

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Changes of the bytes of a file, by name. */
const BYTE_CHANGES: Readonly<Record<string, ByteChange>> = {
  flipBit: (bytes, random) => {
    const changed = bytes.slice()
    changed[place(bytes, random)] ^= 1 << random.whole(0, 7)
    return changed
  },
  setByte: (bytes, random) => {
    const changed = bytes.slice()
    changed[place(bytes, random)] = pick(random, [0, 1, 127, 128, 255, random.whole(0, 255)])
    return changed
  },
  setWord: (bytes, random) => {
    const changed = bytes.slice()
    const at = place(bytes, random)
    for (let i = at; i < Math.min(at + 4, bytes.length); i++) changed[i] = random.whole(0, 255)
    return changed
  },
  truncate: (bytes, random) => bytes.slice(0, place(bytes, random)),
  empty: () => new Uint8Array(),
  append: (bytes, random) => join(bytes, bytes.slice(place(bytes, random))),
  remove: (bytes, random) => {
    const [from, to] = [place(bytes, random), place(bytes, random)].sort((a, b) => a - b)
    return join(bytes.slice(0, from), bytes.slice(to))
  },
  zero: (bytes, random) => {
    const [from, to] = [place(bytes, random), place(bytes, random)].sort((a, b) => a - b)
    return bytes.slice().fill(0, from, to)
  },
  swap: (bytes, random) => {
    const [a, b] = [place(bytes, random), place(bytes, random)].sort((x, y) => x - y)
    return join(bytes.slice(0, a), bytes.slice(b), bytes.slice(a, b))
  },
}

/** Bytes after one to four changes, single bits most often. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let changed = bytes
  for (let left = random.whole(1, 4); left > 0; left--) {
    const name = random.uniform() < 0.5 ? 'flipBit' : pick(random, Object.keys(BYTE_CHANGES))
    changed = BYTE_CHANGES[name](changed, random)
  }
  return new Uint8Array(changed)
}

/** Values that a field hardly ever has. */
const WILD: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  2,
  0.5,
  1e-320,
  1e9,
  1e12,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  '',
  'x',
  'none',
  '../../etc/passwd',
  '/dev/zero',
  'a\nb',
  '\u0000\u202e',
  '__proto__',
  'x'.repeat(5000),
  [],
  {},
  [[]],
  [null],
  [0],
  [1e9],
  new Array(1000).fill(1),
  { id: 'x' },
  { length: -1 },
  { constructor: { prototype: { polluted: 1 } } },
  JSON.parse('{"__proto__": {"polluted": 1}}'),
]

export function wild(random: Random): unknown {
  if (random.uniform() < 0.2) return (random.uniform() - 0.5) * 10 ** random.whole(-3, 15)
  // A copy: inputs must not share what later changes reach.
  return structuredClone(pick(random, WILD))
}

type Tree = Record<string, unknown>

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null

/** Paths of all values in a tree, to inner ones too. */
function paths(value: unknown, path: readonly string[] = []): string[][] {
  if (!isTree(value)) return [[...path]]
  return [[...path], ...Object.entries(value).flatMap(([key, inner]) => paths(inner, [...path, key]))]
}

/** A copy of a value as JSON has it, after one to three changes: others in place of values, keys less or more. */
export function mutateJson(value: unknown, random: Random): unknown {
  let changed: unknown = structuredClone(value)
  for (let left = random.whole(1, 3); left > 0; left--) {
    const path = pick(random, paths(changed))
    const last = path.at(-1)
    if (last === undefined) {
      if (random.uniform() < 0.05) changed = wild(random)
      continue
    }
    const holder = path.slice(0, -1).reduce((tree, key) => tree[key] as Tree, changed as Tree)
    const how = random.whole(0, 9)
    if (how === 0) delete holder[last]
    else if (how === 1) holder[pick(random, [`${last}x`, '__proto__x', 'toString', 'about'])] = wild(random)
    else holder[last] = wild(random)
  }
  return changed
}
