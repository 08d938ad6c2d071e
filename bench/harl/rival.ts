import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { usageError } from '../../src/errors.js'
import type { LearnerRival } from '../../src/bench/rivals.js'
import { batchShape, type UpdateCost, type UpdateTask } from '../../src/bench/whole-update.js'
import { LineProgram } from '../lines.js'

const PROGRAM = fileURLToPath(new URL('../../../bench/harl/update.py', import.meta.url))

/** Python that has PyTorch: Debian's own one may not be the first of the path. */
function findPython(): string | undefined {
  const candidates = [process.env['HARL_PYTHON'], '/usr/bin/python3', 'python3']
  return candidates.find(
    (python) => python !== undefined && spawnSync(python, ['-c', 'import torch, yaml']).status === 0,
  )
}

/**
 * HARL's learner in PyTorch, from the folder in HARL_DIR.
 * @returns one line that says what is missing where it cannot run
 * @throws HatrpoError (exit code 2) for a HARL_DIR without HARL
 */
export function findHarl(): LearnerRival | string {
  const folder = process.env['HARL_DIR']
  if (folder === undefined) return 'HARL_DIR names no folder with the package harl'
  if (!existsSync(join(folder, 'harl', 'algorithms')))
    throw usageError(`HARL_DIR is ${JSON.stringify(folder)}: it must be a folder that holds the package harl`)
  const python = findPython()
  if (python === undefined) return 'there is no Python with torch and yaml: name one in HARL_PYTHON'
  const programs = new Map<number, LineProgram>()
  const start = (threads: number): LineProgram => {
    const known = programs.get(threads)
    if (known) return known
    const program = new LineProgram('HARL', spawn(python, [PROGRAM, String(threads)]))
    programs.set(threads, program)
    return program
  }
  return {
    name: 'HARL',
    open: async (task, threads) => openUpdate(start(threads), task),
    close: async () => {
      for (const program of programs.values()) await program.close()
    },
  }
}

async function openUpdate(program: LineProgram, task: UpdateTask): Promise<() => Promise<UpdateCost>> {
  const { agents, stateSize } = task.spec
  const [{ observation, action }] = agents
  if (action.kind !== 'box') throw usageError(`${task.name}: HARL is timed with continuous actions only`)
  const options = {
    algo: task.algo,
    agents: agents.length,
    // HARL appends the one-hot number of the agent in its environments, this package in its networks.
    observation: observation.size + agents.length,
    state: stateSize,
    action: action.size,
    hidden: task.hidden,
    ...batchShape(task),
  }
  await program.ask(JSON.stringify({ open: options }))
  return async () => (await program.ask('{"run": true}')) as UpdateCost
}
