import { type Choice, differences } from './differences.js'
import { byId, colourOf, lineSample, make } from './elements.js'
import type { PageRun } from './store.js'

/** Characters of a value that are shown: of a SHA-256, the first. */
const LONGEST = 40

/** The keys in which the shown runs' configurations differ, unusual values marked. */
export function drawDifferences(runs: readonly PageRun[]): void {
  const place = byId('differences')
  if (runs.length < 2)
    return place.replaceChildren(make('p', { class: 'muted' }, 'Show two runs or more to compare them.'))
  const { differing, partial } = differences(runs.map(({ latest }) => latest.config))
  const terms = differing.flatMap(({ key, choices }) => [
    make('dt', {}, key),
    ...choices.map((choice) => make('dd', {}, ...described(choice, runs))),
  ])
  const some =
    partial.length > 0 ? [make('p', { class: 'muted' }, `Only some runs have: ${partial.join(', ')}`)] : []
  if (terms.length + some.length === 0)
    return place.replaceChildren(make('p', { class: 'muted' }, 'The same in all shown runs.'))
  place.replaceChildren(make('dl', {}, ...terms), ...some)
}

function described({ value, owners, unusual }: Choice, runs: readonly PageRun[]): Node[] {
  const text = value.replaceAll('"', '').slice(0, LONGEST)
  const names = owners.map((i) => runs[i].latest.name).join(', ')
  const samples = owners.map((i) => lineSample('', colourOf(runs[i].latest.id)))
  return [
    unusual ? make('mark', {}, text) : make('span', {}, text),
    make('span', { class: 'owners', role: 'img', title: names, label: names }, ...samples),
  ]
}

/** The symptoms of the shown runs, in words. */
export function drawFindings(runs: readonly PageRun[]): void {
  const [sound, others] = [runs.filter(isSound), runs.filter((run) => !isSound(run))]
  const items = others.map(({ latest }) => {
    const lines = latest.findings!.map(({ line }) => {
      const colon = line.indexOf(':')
      return make('li', {}, make('b', {}, line.slice(0, colon)), line.slice(colon))
    })
    const name = make('h3', {}, lineSample('', colourOf(latest.id)), ` ${latest.name}`)
    return make('div', { class: 'findings' }, name, make('ul', {}, ...lines))
  })
  const whose =
    others.length === 0 ? 'the shown runs' : sound.length === 1 ? 'the other run' : 'the other runs'
  const rest = sound.length === 0 ? [] : [make('p', { class: 'muted' }, `Nothing to note in ${whose}.`)]
  byId('findings').replaceChildren(...items, ...rest)
}

function isSound({ latest }: PageRun): boolean {
  return (latest.findings ?? []).length === 0
}
