import type { Attack } from './attack.js'
import { bundleBytes, bundleInfo, moduleBytes, moduleInfo } from './attacks/bundles.js'
import { configFiles, configValues, gameFiles, settings } from './attacks/configs.js'
import { environments, pythonProcesses } from './attacks/environments.js'
import { disks, kills, signals } from './attacks/processes.js'
import { checkpoints, resumedRuns, runFiles, tensorFiles } from './attacks/runs.js'

/** All kinds of attack, in the order in which a campaign makes them. */
export const ATTACKS: readonly Attack[] = [
  bundleBytes,
  moduleBytes,
  moduleInfo,
  bundleInfo,
  tensorFiles,
  checkpoints,
  runFiles,
  resumedRuns,
  configValues,
  settings,
  configFiles,
  gameFiles,
  environments,
  pythonProcesses,
  signals,
  kills,
  disks,
]
