import { mkdirSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { HatrpoError } from '../errors.js'
import { makeFolders } from '../files.js'
import type { TrainConfig } from '../config/index.js'

/** The part of an environment's id that names it in a folder's name. */
export function envName(id: string): string {
  const name = id.startsWith('pettingzoo:')
    ? pythonName(id)
    : id.startsWith('mamujoco/')
      ? id.slice('mamujoco/'.length)
      : basename(id, extname(id)).replace(/^npm:/, '')
  return name.replace(/[^\w.-]/g, '_')
}

/** `simple_spread_v3` of `pettingzoo:pettingzoo.mpe.simple_spread_v3:parallel_env`; a file's name without its ending. */
function pythonName(id: string): string {
  const [module] = id.slice('pettingzoo:'.length).split(/:\w[\w.]*$/)
  return module.endsWith('.py') ? basename(module, '.py') : module.split('.').at(-1)!
}

/** Makes an empty folder `runs/<env>-<algo>-s<seed>`, with `-2`, `-3`, ... appended where the name is taken. */
export function makeRunFolder(config: TrainConfig): string {
  const name = `${envName(config.env.id)}-${config.algo}-s${config.seed}`
  try {
    makeFolders('runs')
    for (let k = 1; ; k++) {
      const dir = join('runs', k === 1 ? name : `${name}-${k}`)
      if (makeFolder(dir)) return dir
    }
  } catch (error) {
    throw new HatrpoError(`cannot make a folder for the run: ${(error as Error).message}`, { cause: error })
  }
}

/** @returns false when the folder exists: two processes never get the same one */
function makeFolder(dir: string): boolean {
  try {
    mkdirSync(dir)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
