// Draws a V8 CPU profile (`node --cpu-prof`) as a flame graph in SVG: a frame's width is its share of the samples, and
// callees lie below callers. Colours follow the reader's light or dark theme.
//
//   node scripts/flame.mjs --out FILE [--title TEXT] [--root FUNCTION] [--least PERCENT] PROFILE
//
// `--root` draws only what runs inside calls of a function; `--least` is the smallest share that is drawn (0.4).
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const WIDTH = 1000
const ROW = 18
const TOP = 34
/** Width of a character of the labels, in pixels. */
const CHARACTER = 6.2

function stop(message) {
  console.error(`flame: ${message}`)
  process.exit(2)
}

/** Kernels are WebAssembly; the rest is JavaScript or the engine's own work, in parentheses. */
function kindOf({ functionName, url }) {
  if (url.startsWith('wasm://')) return 'wasm'
  return functionName.startsWith('(') ? 'engine' : 'js'
}

const labelOf = ({ functionName, url }) =>
  url.startsWith('wasm://')
    ? functionName.replace(/^assembly\/(?:.*\/)?/, '').replace(/^\w+\//, '')
    : functionName || '(anonymous)'

/** Tree of frames, in which calls of the same function from the same frame are one frame. */
function frames({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const self = new Map()
  samples.forEach((id, i) => self.set(id, (self.get(id) ?? 0) + timeDeltas[i]))
  const merge = (group) => {
    const [{ callFrame }] = group
    const own = group.reduce((sum, { id }) => sum + (self.get(id) ?? 0), 0)
    const byName = new Map()
    for (const child of group.flatMap(({ children = [] }) => children.map((id) => byId.get(id)))) {
      const key = `${kindOf(child.callFrame)} ${labelOf(child.callFrame)}`
      byName.set(key, [...(byName.get(key) ?? []), child])
    }
    const children = [...byName.values()].map(merge).sort((a, b) => b.time - a.time)
    const time = own + children.reduce((sum, child) => sum + child.time, 0)
    return { label: labelOf(callFrame), kind: kindOf(callFrame), time, children }
  }
  return merge([nodes[0]])
}

/** All topmost frames called `name`, under one frame. */
function under(tree, name) {
  const found = (frame) => (frame.label === name ? [frame] : frame.children.flatMap(found))
  const roots = found(tree)
  if (roots.length === 0) stop(`no function called ${name} in the profile`)
  const byName = new Map()
  for (const child of roots.flatMap(({ children }) => children)) {
    byName.set(child.label, [...(byName.get(child.label) ?? []), child])
  }
  const join = (group) => {
    if (group.length === 1) return group[0]
    const inner = new Map()
    for (const child of group.flatMap(({ children }) => children)) {
      inner.set(child.label, [...(inner.get(child.label) ?? []), child])
    }
    const time = group.reduce((sum, frame) => sum + frame.time, 0)
    return { ...group[0], time, children: [...inner.values()].map(join).sort((a, b) => b.time - a.time) }
  }
  const children = [...byName.values()].map(join).sort((a, b) => b.time - a.time)
  return { label: name, kind: 'js', time: roots.reduce((sum, { time }) => sum + time, 0), children }
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function draw(root, title, least) {
  const parts = []
  let depth = 0
  const place = (frame, x, level) => {
    const width = (frame.time / root.time) * WIDTH
    if (width < (least / 100) * WIDTH) return
    depth = Math.max(depth, level)
    const share = ((100 * frame.time) / root.time).toFixed(1)
    const room = Math.floor((width - 6) / CHARACTER)
    const text = frame.label.length > room ? frame.label.slice(0, Math.max(0, room - 1)) + '…' : frame.label
    const y = TOP + level * ROW
    parts.push(
      `<g><title>${escape(frame.label)}: ${share} %</title><rect class="${frame.kind}" x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.6).toFixed(1)}" height="${ROW - 1}"/>` +
        (room > 2 ? `<text x="${(x + 3).toFixed(1)}" y="${y + 12.5}">${escape(text)}</text>` : '') +
        '</g>',
    )
    let at = x
    for (const child of frame.children) {
      place(child, at, level + 1)
      at += (child.time / root.time) * WIDTH
    }
  }
  place(root, 0, 0)
  const height = TOP + (depth + 1) * ROW + 6
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="11">
<style>
.wasm { fill: #9cc3f0 } .js { fill: #f4c98b } .engine { fill: #d4d4d8 } text { fill: #18181b } .head { font-size: 14px; font-weight: 600 }
@media (prefers-color-scheme: dark) { .head { fill: #e4e4e7 } }
</style>
<text class="head" x="2" y="20">${escape(title)}</text>
${parts.join('\n')}
</svg>
`
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    title: { type: 'string', default: '' },
    root: { type: 'string' },
    least: { type: 'string', default: '0.4' },
  },
})
if (!values.out || positionals.length !== 1) stop('give --out FILE and one PROFILE')
if (!existsSync(positionals[0])) stop(`${positionals[0]} does not exist: give a .cpuprofile`)
const least = Number(values.least)
if (!(least >= 0 && least < 100)) stop(`--least is ${values.least}, must be a share in per cent`)
const tree = frames(JSON.parse(readFileSync(positionals[0], 'utf8')))
writeFileSync(values.out, draw(values.root ? under(tree, values.root) : tree, values.title, least))
