import test from 'node:test'
import { findPython } from '../envs/python.js'
import { custom, games, moves } from './moved-projects.js'

const skip = findPython().missing

test('a project with a Python file moves: eval, export and --resume work in its new place', { skip }, (t) =>
  moves(t, games),
)
test('a project with a team of a model and a reward moves: eval, export and --resume work in its new place', (t) =>
  moves(t, custom))
