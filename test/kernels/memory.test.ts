import assert from 'node:assert/strict'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { HatrpoError } from '../../src/errors.js'
import { Arena } from '../../src/kernels/arena.js'
import { compileKernels, createKernelMemory, loadKernels } from '../../src/kernels/load.js'

const fresh = async (maximumPages?: number) => {
  const { exports, memory } = await loadKernels({ memory: createKernelMemory(maximumPages) })
  return { exports, memory, arena: new Arena({ exports, memory }) }
}

test('allocations are aligned to 64 bytes, disjoint and after the data of the module', async () => {
  const { arena, exports } = await fresh()
  const sizes = [0, 1, 64, 65, 3, 1000]
  let end = exports.heapBase()
  for (const size of sizes) {
    const address = arena.alloc(size)
    assert.equal(address % 64, 0)
    assert.ok(address >= end)
    end = address + size
  }
})

test('the memory grows as needed, and earlier views remain valid', async () => {
  const { arena, memory, exports } = await fresh()
  const early = arena.f32(arena.alloc(16), 4)
  const large = arena.alloc(10_000_000)
  assert.ok(memory.buffer.byteLength >= large + 10_000_000)
  exports.fill(early.byteOffset, 2.5, 4)
  assert.deepEqual([...early], [2.5, 2.5, 2.5, 2.5])
  const late = arena.f64(large, 1_250_000)
  late[1_249_999] = 1
  assert.equal(arena.u8(large + 9_999_992 + 7, 1)[0], 0x3f)
})

test('release frees allocations after the mark and refuses other numbers', async () => {
  const { arena } = await fresh()
  const first = arena.alloc(100)
  const mark = arena.mark()
  const second = arena.alloc(100)
  arena.release(mark)
  assert.equal(arena.alloc(100), second)
  arena.release(mark)
  assert.equal(arena.used, mark - first)
  for (const wrong of [mark + 64, 0, mark + 1, NaN]) assert.throws(() => arena.release(wrong), HatrpoError)
  for (const wrong of [-1, 1.5, NaN]) assert.throws(() => arena.alloc(wrong), HatrpoError)
})

test('a full memory is an error that leaves the arena unchanged', async () => {
  const { arena } = await fresh(2)
  const { used } = arena
  assert.throws(() => arena.alloc(200_000), /kernel memory of \d+ bytes/)
  assert.equal(arena.used, used)
  arena.alloc(1000)
})

test('createKernelMemory refuses an invalid maximum', () => {
  for (const wrong of [0, 65537, 1.5, NaN])
    assert.throws(() => createKernelMemory(wrong), /maximumPages .*1 to 65536/)
})

test('a second instance in another thread shares the contents of the memory and leaves them unchanged', async () => {
  const { arena, memory, exports } = await fresh()
  const x = arena.f32(arena.alloc(400), 100).fill(1)
  const before = Uint8Array.from(arena.u8(0, x.byteOffset))
  const script = `
    const { workerData: { module, memory, address }, parentPort } = require('node:worker_threads')
    const { exports } = new WebAssembly.Instance(module, { env: { memory } })
    exports.expArray(address, address, 100)
    parentPort.postMessage(exports.dot(address, address, 100))`
  const worker = new Worker(script, {
    eval: true,
    workerData: { module: await compileKernels(), memory, address: x.byteOffset },
  })
  const sum = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  assert.ok(x.every((v) => v === Math.fround(Math.E)))
  assert.equal(sum, exports.dot(x.byteOffset, x.byteOffset, 100))
  assert.deepEqual(arena.u8(0, x.byteOffset), before)
})

test('allocZeroed gives zeros, also of memory that was released or grown before', async () => {
  const { arena } = await fresh()
  const mark = arena.mark()
  const used = arena.u8(arena.alloc(1000), 1000).fill(7)
  arena.release(mark)
  const again = arena.u8(arena.allocZeroed(100_000), 100_000)
  assert.equal(again.byteOffset, used.byteOffset)
  assert.ok(again.every((byte) => byte === 0))
})
