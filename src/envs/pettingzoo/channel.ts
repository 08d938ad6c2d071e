import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import { WORKERS } from '../../place.js'
import type { ChildSetup, Order, Report } from './child.js'
import { REPLY } from './protocol.js'

/** The Python process ended, or gave no sign of life for as long as it may take. */
export class ChildLost extends Error {
  /** Whether there is no such program. */
  readonly missing: boolean

  constructor(how: string, missing = false) {
    super(how)
    this.missing = missing
  }
}

/**
 * Number of polls in which waiting is divided. They are counted so that the time of a suspended process does not count
 * as hanging.
 */
const LOOKS = 10
const POLL_MS = 5

/**
 * A Python process that a thread can ask without giving up its own turn: another thread owns the pipes, and this one
 * sleeps until that one has an answer, or until it has heard nothing for too long.
 */
export class Channel {
  readonly #port: MessagePort
  readonly #reports: Int32Array
  readonly #python: string
  #process = 0

  /** @param python the program to run */
  constructor(python: string) {
    const { port1, port2 } = new MessageChannel()
    const reports = new SharedArrayBuffer(4)
    const setup: ChildSetup = { port: port2, reports }
    const thread = new Worker(new URL('python.js', WORKERS), {
      workerData: setup,
      transferList: [port2],
    })
    // Neither keeps the program from ending; Python ends when its pipe is closed.
    thread.unref()
    port1.unref()
    this.#port = port1
    this.#reports = new Int32Array(reports)
    this.#python = python
  }

  /** Starts a process; one that runs is killed. */
  start(): void {
    this.#process++
    this.#order({ kind: 'start', process: this.#process, python: this.#python })
  }

  /**
   * Sends a message and blocks this thread until the answer.
   * @param patience milliseconds without a sign of life that are allowed
   * @throws ChildLost
   */
  ask(message: Uint8Array, patience: number): Uint8Array {
    this.#order({ kind: 'send', message })
    for (let quiet = 0; ;) {
      const seen = Atomics.load(this.#reports, 0)
      const reply = this.#next()
      if (reply === 'pulse') quiet = 0
      else if (reply !== undefined) return reply
      else if (quiet === LOOKS) throw this.#silent(patience)
      else if (Atomics.wait(this.#reports, 0, seen, patience / LOOKS) === 'timed-out') quiet++
    }
  }

  /** The same without blocking the thread. */
  async askAsync(message: Uint8Array, patience: number): Promise<Uint8Array> {
    this.#order({ kind: 'send', message })
    for (let quiet = 0; quiet < patience; quiet += POLL_MS) {
      const reply = this.#next()
      if (reply === 'pulse') quiet = 0
      else if (reply !== undefined) return reply
      await sleep(POLL_MS)
    }
    throw this.#silent(patience)
  }

  /** Lets the process end. Nothing can be asked any more. */
  end(): void {
    this.#order({ kind: 'end' })
  }

  #order(order: Order): void {
    this.#port.postMessage(order)
  }

  // A message of the current process, if one has arrived.
  #next(): Uint8Array | 'pulse' | undefined {
    for (;;) {
      const received: { message: Report } | undefined = receiveMessageOnPort(this.#port)
      if (received === undefined) return undefined
      const report = received.message
      if (report.process !== this.#process) continue
      if ('lost' in report) throw new ChildLost(report.lost, report.missing)
      return report.message[0] === REPLY.pulse ? 'pulse' : report.message
    }
  }

  #silent(patience: number): ChildLost {
    this.#order({ kind: 'kill' })
    return new ChildLost(`gave no answer for ${patience / 1000} s`)
  }
}
