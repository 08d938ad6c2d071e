// More kills than pettingzoo.test.ts has, each of which starts the command and its Pythons again.
import test from 'node:test'
import { findPython } from '../envs/python.js'
import { killAndResumePython } from './python-kills.js'

test(
  'a run that is killed three times has the bits of one that is not, and leaves no Python behind',
  { skip: findPython().missing },
  (t) => killAndResumePython(t, 3),
)
