// Thread that reports the phase of a command, also while the main thread is busy.

import { workerData } from 'node:worker_threads'
import { tellUntilStopped, type Telling } from '../src/text/telling.js'

tellUntilStopped(workerData as Telling)
