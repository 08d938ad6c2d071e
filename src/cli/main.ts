#!/usr/bin/env node
// Stack traces then name the sources. Set before the code is loaded.
if (process.argv.includes('--verbose')) process.setSourceMapsEnabled?.(true)

// MuJoCo compiles in the background while the code of the command loads.
if (process.argv[2] === 'train' && process.argv.some((argument) => argument.includes('mamujoco/'))) {
  const { sharedMujoco } = await import('../envs/mujoco/compile.js')
  void sharedMujoco()
}

const { createProgram } = await import('./program.js')
const { runCommand } = await import('./run.js')
await runCommand(createProgram(), process.argv.slice(2))
