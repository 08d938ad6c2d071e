// Thread that draws pictures.

import { workerData } from 'node:worker_threads'
import type { Shape } from '../src/envs/scene.js'
import { Painter, type PaintOrder } from '../src/render/painter.js'

const painter = new Painter(workerData as readonly Shape[])

export default function run(order: PaintOrder): Uint8Array {
  return painter.paint(order)
}
