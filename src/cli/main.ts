#!/usr/bin/env node
import { createProgram } from './program.js'
import { runCommand } from './run.js'

await runCommand(createProgram(), process.argv.slice(2))
