#!/usr/bin/env node
// Stack traces then name the sources. Set before the code is loaded.
if (process.argv.includes('--verbose')) process.setSourceMapsEnabled?.(true)

const { createProgram } = await import('./program.js')
const { runCommand } = await import('./run.js')
await runCommand(createProgram(), process.argv.slice(2))
