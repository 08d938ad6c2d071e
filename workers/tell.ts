// Thread that tells what a command is busy with, also while the main thread is too busy to.

import { workerData } from 'node:worker_threads'
import { tellUntilStopped, type Telling } from '../src/text/telling.js'

tellUntilStopped(workerData as Telling)
