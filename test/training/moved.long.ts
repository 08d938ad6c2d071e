import { findPython } from '../envs/python.js'
import { custom, games, testMoved } from './moved-projects.js'

testMoved('a Python file', games, findPython().missing)
testMoved('a team of a model and a reward', custom, false)
