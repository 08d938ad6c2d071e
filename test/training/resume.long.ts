// More kills than resume.test.ts has, each of which starts the command again.
import test from 'node:test'
import { killAndResume, MOMENTS } from './kills.js'

const { started, firstIteration, checkpoint, lastCheckpoint, any } = MOMENTS

test('a run that is killed seven times ends like an uninterrupted one', (t) =>
  killAndResume(t, [started, firstIteration, checkpoint, checkpoint, checkpoint, lastCheckpoint, any]))
