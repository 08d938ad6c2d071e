/** Readers of run folders: comparison of methods, and its tables and pictures. */
export { compareRuns, compareWithRuns, type CompareOptions } from './compare.js'
export type * from './comparison.js'
export { htmlPage } from './html.js'
export { AXES, curvesPicture, LINES, svgFile, type PictureOptions } from './pictures.js'
export { METRICS, readRun } from './runs.js'
export { deviation, mean } from './statistics.js'
export { asText } from './tables.js'
