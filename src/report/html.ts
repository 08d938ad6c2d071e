import { createHash } from 'node:crypto'
import { CHART_STYLE, svgElement, type Picture } from './chart.js'
import type { Comparison } from './comparison.js'
import { escapeMarkup } from './format.js'
import { curvesPicture, methodsOf, profilePicture, summaryPicture, type PictureOptions } from './pictures.js'
import { METRICS } from './runs.js'
import { sectionsOf, type Section, type Table } from './tables.js'

const STYLE = `
:root{color-scheme:light dark}
body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem;border-bottom:1px solid #8886}
figure{margin:1.5rem 0}svg{display:block;width:100%;height:auto}
.table{overflow-x:auto;margin:1.2rem 0}table{border-collapse:collapse}
caption{text-align:left;white-space:nowrap;color:#666;padding-bottom:.3rem}
th,td{padding:.25rem .8rem .25rem 0;text-align:right;white-space:nowrap;border-bottom:1px solid #8883;font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left}thead th{font-weight:600}tbody th{font-weight:400}
@media (prefers-color-scheme:dark){body{color:#ddd;background:#16181c}caption{color:#aaa}}
${CHART_STYLE}
`

/**
 * A comparison as one page that loads nothing: its policy allows its own style sheet and no scripts, pictures or connections.
 */
export function htmlPage(comparison: Comparison, options: PictureOptions = {}): string {
  const hash = createHash('sha256').update(STYLE).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const title = options.title ?? `Comparison of ${methodsOf(comparison).join(', ')}`
  const { confidence, resamples, seed, metric } = comparison
  const about = `Scores are ${METRICS[metric].title}s. Intervals hold ${100 * confidence} % of ${resamples} stratified bootstrap resamples of the runs (seed ${seed}).`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeMarkup(title)}</h1>
<p>${about}</p>
${figure(curvesPicture(comparison, options))}
${sectionsOf(comparison)
  .map((section, index) => sectionMarkup(section, picturesOf(comparison, index)))
  .join('\n')}
${notes(comparison.notes)}
</main>
</body>
</html>
`
}

function notes(lines: readonly string[]): string {
  if (lines.length === 0) return ''
  const items = lines.map((line) => `<li>${escapeMarkup(line)}</li>`)
  return `<section>\n<h2>Notes</h2>\n<ul>\n${items.join('\n')}\n</ul>\n</section>`
}

/** Pictures of a section: those of a task, or behind the last one those of all tasks together. */
function picturesOf(comparison: Comparison, index: number): Picture[] {
  const { tasks, overall, metric } = comparison
  const names = methodsOf(comparison)
  const task = tasks.at(index)
  const part = task ?? overall
  if (!part) return []
  const axis = task ? METRICS[metric].title : 'normalised score'
  // Scores that are all equal spread over no axis.
  if (part.profiles.thresholds.length === 1) return []
  return [
    summaryPicture(`iqm-${index}`, 'Interquartile mean', axis, part.methods, names),
    profilePicture(`profile-${index}`, 'Performance profile', axis, part.profiles, names),
  ]
}

function sectionMarkup({ title, tables }: Section, pictures: readonly Picture[]): string {
  return [
    '<section>',
    `<h2>${escapeMarkup(title)}</h2>`,
    ...tables.map(tableMarkup),
    ...pictures.map(figure),
    '</section>',
  ].join('\n')
}

function figure(picture: Picture): string {
  return `<figure>\n${svgElement(picture)}</figure>`
}

function tableMarkup({ caption, head, rows }: Table): string {
  const titles = head.map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`)
  const lines = rows.map(([name, ...cells]) => {
    const values = cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`)
    return `<tr><th scope="row">${escapeMarkup(name)}</th>${values.join('')}</tr>`
  })
  return `<div class="table"><table>
<caption>${escapeMarkup(caption)}</caption>
<thead><tr>${titles.join('')}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody>
</table></div>`
}
