// Thread that refreshes the lock of a run folder, also while the main thread is busy with an update.

import { workerData } from 'node:worker_threads'
import { refreshUntilReleased, type LockRefresh } from '../src/runs/refresh.js'

refreshUntilReleased(workerData as LockRefresh)
