export { checkEnv, type CheckedSource, type CheckOptions, type CheckReport } from './check.js'
export type { EpisodeSummary } from './episodes.js'
export { type CheckRule, checkRules, type Finding, type Severity } from './finding.js'
