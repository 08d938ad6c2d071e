// Thread that owns a Python process and its pipes, for a thread that steps environments and cannot wait for events.

import { workerData } from 'node:worker_threads'
import { serveChild, type ChildSetup } from '../src/envs/pettingzoo/child.js'

serveChild(workerData as ChildSetup)
