/**
 * Letters as strokes. A stroke is a kind and its points, two base-36 digits each: x, and y with the baseline at 4, lower-case
 * letters up to 12 and capitals up to 16. Kinds: `-` lines from point to point, `~` a curve from the first point to the
 * last that the points between draw towards them, `@` a closed curve.
 */
const LETTERS: Readonly<Record<string, string>> = {
  '0': '@04747g0g',
  '1': '-1d4g44',
  '2': '~0d0g7g7b04 -0474',
  '3': '~0e0g6g6a3a ~3a7a740406',
  '4': '-5g0878 -5g54',
  '5': '-6g1g0a ~0a2b7c740405',
  '6': '~6g0g07 @04747b0b',
  '7': '-0g7g24',
  '8': '@1a6a6g1g @04747a0a',
  '9': '@09797g0g ~7d7414',
  A: '-044g84 -1979',
  B: '-040g ~0g3g7g7a3a0a ~0a4a8a844404',
  C: '~8d8g0g048487',
  D: '-040g ~0g3g8g843404',
  E: '-7g0g0474 -0a6a',
  F: '-7g0g04 -0a6a',
  G: '~8d8g0g04848a -8a5a',
  H: '-040g -848g -0a8a',
  I: '-040g',
  J: '~6g640407',
  K: '-040g -7g08 -3b84',
  L: '-0g0474',
  M: '-040g4a8g84',
  N: '-040g848g',
  O: '@04848g0g',
  P: '-040g ~0g4g8g894909',
  Q: '@04848g0g -5783',
  R: '-040g ~0g4g7g793909 -3974',
  S: '~7d7g0g0a7a740407',
  T: '-0g8g -4g44',
  U: '~0g080484888g',
  V: '-0g448g',
  W: '-0g245e84ag',
  X: '-048g -0g84',
  Y: '-0g4a8g -4a44',
  Z: '-0g8g0484',
  a: '@04646c0c -6c64',
  b: '-0g04 @04646c0c',
  c: '~6a6c0c046466',
  d: '-6g64 @04646c0c',
  e: '-0868 ~686c0c046465',
  f: '~5g2g2b24 -0c4c',
  g: '@04646c0c -6c64 ~64600001',
  h: '-0g04 ~080c6c6864',
  i: '-0c04 -0f0g',
  j: '~3c343000 -3f3g',
  k: '-0g04 -5c07 -2964',
  l: '-0g04',
  m: '-0c04 ~080c5c5854 ~585caca8a4',
  n: '-0c04 ~080c6c6864',
  o: '@04646c0c',
  p: '-0c00 @04646c0c',
  q: '-6c60 @04646c0c',
  r: '-0c04 ~080c4c',
  s: '~5b5c0c0858540405',
  t: '-2f26 ~262454 -0c4c',
  u: '~0c08046468 -6c64',
  v: '-0c346c',
  w: '-0c244b648c',
  x: '-046c -0c64',
  y: '-0c34 -6c20',
  z: '-0c6c0464',
  ' ': '',
  '.': '-0404',
  ',': '-1402',
  ':': '-0505 -0b0b',
  '-': '-0959',
  '+': '-0969 -3c36',
  _: '-0363',
  '/': '-036g',
  '|': '-0h02',
  '(': '~3h0d0733',
  ')': '~0h3d3703',
  '[': '-3h0h0333',
  ']': '-0h3h3303',
  '=': '-0767 -0b6b',
  '%': '@44747747 @0d3d3g0g -047g',
  '?': '~0e0g6g6b3b37 -3434',
  '!': '-0g08 -0404',
  "'": '-0g0d',
  '#': '-244g -648g -0888 -1c9c',
}
/** Shown for a letter that is not there. */
const UNKNOWN = '-040g6g6404'

const BASELINE = 4
const CAPITALS = 12
/** Between letters, and the width of a space. */
const GAP = 3.4
const SPACE = 4
/** Figures are equally wide, so that numbers which change do not jump. */
const FIGURE_WIDTH = 7
/** Thickness of a stroke over the height of capitals. */
const THICKNESS = 0.135

type Stroke = readonly (readonly [x: number, y: number])[]

interface Letter {
  readonly strokes: readonly Stroke[]
  readonly width: number
}

const letters = new Map<string, Letter>()

function letterOf(character: string): Letter {
  let letter = letters.get(character)
  if (letter === undefined) letters.set(character, (letter = readLetter(character)))
  return letter
}

function readLetter(character: string): Letter {
  const text = LETTERS[character] ?? UNKNOWN
  const strokes = text.split(' ').filter((stroke) => stroke !== '')
  const points = strokes.map((stroke) => readStroke(stroke[0], stroke.slice(1)))
  const widest = points.flat().reduce((most, [x]) => Math.max(most, x), 0)
  const isFigure = character >= '0' && character <= '9'
  return { strokes: points, width: isFigure ? FIGURE_WIDTH : text === '' ? SPACE : widest }
}

function readStroke(kind: string, digits: string): Stroke {
  const points = (digits.match(/../g) ?? []).map(
    ([x, y]) => [Number.parseInt(x, 36), Number.parseInt(y, 36) - BASELINE] as const,
  )
  if (kind === '-') return points
  let curve: Stroke = points
  for (let i = 0; i < 4; i++) curve = cutCorners(curve, kind === '@')
  return kind === '@' ? [...curve, curve[0]] : curve
}

/** G. Chaikin's smoothing (1974). */
function cutCorners(points: Stroke, closed: boolean): Stroke {
  const ends = closed ? [...points, points[0]] : points
  const cut = ends.slice(1).flatMap(([bx, by], i) => {
    const [ax, ay] = ends[i]
    return [
      [0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by] as const,
      [0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by] as const,
    ]
  })
  return closed ? cut : [points[0], ...cut.slice(1, -1), points.at(-1)!]
}

/** Width of a line of text, in pixels. @param height of capitals, in pixels */
export function textWidth(text: string, height: number): number {
  const widths = Array.from(text, (character) => letterOf(character).width + GAP)
  return ((widths.reduce((sum, width) => sum + width, 0) - GAP) * height) / CAPITALS
}

/**
 * Distance of pixels from the strokes of a line of text, from the middle of the stroke.
 * @param left of the first letter, in pixels
 * @param baseline in pixels from the top
 * @param visit gets the pixels within `reach` of a stroke, some more than once
 */
export function traceText(
  text: string,
  { left, baseline, height }: { readonly left: number; readonly baseline: number; readonly height: number },
  reach: number,
  visit: (x: number, y: number, distance: number) => void,
): void {
  const unit = height / CAPITALS
  let pen = left
  for (const character of text) {
    const { strokes, width } = letterOf(character)
    for (const stroke of strokes) {
      for (let i = 0; i + 1 < stroke.length; i++) {
        const [ax, ay] = [pen + unit * stroke[i][0], baseline - unit * stroke[i][1]]
        const [bx, by] = [pen + unit * stroke[i + 1][0], baseline - unit * stroke[i + 1][1]]
        traceLine(ax, ay, bx, by, reach, visit)
      }
    }
    pen += unit * (width + GAP)
  }
}

function traceLine(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  reach: number,
  visit: (x: number, y: number, distance: number) => void,
): void {
  const [dx, dy] = [bx - ax, by - ay]
  const square = dx * dx + dy * dy
  const [top, bottom] = [Math.floor(Math.min(ay, by) - reach), Math.ceil(Math.max(ay, by) + reach)]
  const [first, last] = [Math.floor(Math.min(ax, bx) - reach), Math.ceil(Math.max(ax, bx) + reach)]
  for (let y = top; y <= bottom; y++) {
    for (let x = first; x <= last; x++) {
      const [px, py] = [x + 0.5 - ax, y + 0.5 - ay]
      const along = square > 0 ? Math.max(0, Math.min(1, (px * dx + py * dy) / square)) : 0
      const [ex, ey] = [px - along * dx, py - along * dy]
      const distance = Math.sqrt(ex * ex + ey * ey)
      if (distance < reach) visit(x, y, distance)
    }
  }
}

/** Half the thickness of strokes, in pixels. @param height of capitals, in pixels */
export function strokeRadius(height: number): number {
  return Math.max(0.55, (height * THICKNESS) / 2)
}
