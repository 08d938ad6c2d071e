import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { MessagePort } from 'node:worker_threads'
import { CODE } from '../../place.js'

/** Setup of the thread that owns a Python process. */
export interface ChildSetup {
  /** Port for orders and reports. */
  readonly port: MessagePort
  /** i32 [1]: number of reports, on which the other thread sleeps. */
  readonly reports: SharedArrayBuffer
}

/** Orders to the thread. Processes are numbered to distinguish their messages. */
export type Order =
  | { readonly kind: 'start'; readonly process: number; readonly python: string }
  | { readonly kind: 'send'; readonly message: Uint8Array }
  | { readonly kind: 'kill' }
  | { readonly kind: 'end' }

/** A report about a process: a message, or the reason of its end. */
export type Report =
  | { readonly process: number; readonly message: Uint8Array }
  | { readonly process: number; readonly lost: string; readonly missing: boolean }

const script = fileURLToPath(new URL('../src/envs/pettingzoo/host.py', CODE))

/** Milliseconds for the last output of an ending process to arrive, and for the process to end. */
const DRAIN = 200
const ENDING = 10_000

/**
 * Settings without which Python is not the same twice (the order of sets depends on the hash seed), or would start as
 * many threads in every process as the machine has cores. What the user has set stays.
 */
const PYTHON_SETTINGS = {
  PYTHONHASHSEED: '0',
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
}

/** Runs Python processes, one at a time, for another thread that cannot wait for events. */
export function serveChild({ port, reports }: ChildSetup): void {
  const count = new Int32Array(reports)
  const report = (what: Report) => {
    port.postMessage(what, 'message' in what ? [what.message.buffer as ArrayBuffer] : [])
    Atomics.add(count, 0, 1)
    Atomics.notify(count, 0)
  }
  let child: PythonProcess | undefined
  port.on('message', (order: Order) => {
    switch (order.kind) {
      case 'start':
        child?.kill()
        child = startProcess(order.process, order.python, report)
        break
      case 'send':
        child?.send(order.message)
        break
      case 'kill':
        child?.kill()
        child = undefined
        break
      case 'end':
        child?.end()
        port.close()
    }
  })
}

function startProcess(
  number: number,
  python: string,
  report: (what: Report) => void,
): PythonProcess | undefined {
  try {
    return new PythonProcess(number, python, report)
  } catch (error) {
    // Some failures come at once, not as an event: a path that leads through a file, too large an environment.
    report({ process: number, ...notStarted(error as NodeJS.ErrnoException) })
    return undefined
  }
}

function notStarted({ code, message }: NodeJS.ErrnoException): { lost: string; missing: boolean } {
  return {
    lost: `cannot be started (${code ?? message})`,
    missing: code === 'ENOENT' || code === 'ENOTDIR',
  }
}

class PythonProcess {
  readonly #child: ChildProcess
  readonly #number: number
  readonly #report: (what: Report) => void
  #over = false

  constructor(number: number, python: string, report: (what: Report) => void) {
    this.#number = number
    this.#report = report
    // A separate process group: Ctrl-C in a terminal does not reach it, and processes of Python can be ended with it.
    this.#child = spawn(python, [script], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...PYTHON_SETTINGS, ...process.env },
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    const messages = new MessageReader((message) => {
      if (!this.#over) report({ process: number, message })
    })
    this.#child.stdout!.on('data', (chunk: Uint8Array) => messages.read(chunk))
    // A failed write is followed by the end of the process, which is reported.
    this.#child.stdin!.on('error', () => {})
    this.#child.on('error', (error) => {
      const { lost, missing } = notStarted(error)
      this.#lose(lost, missing)
    })
    this.#child.on('exit', (code, signal) => {
      const how = signal === null ? `exited with code ${code ?? 'unknown'}` : `was killed by ${signal}`
      this.#killGroup()
      // Those of another group may hold its pipe open.
      const timer = setTimeout(() => {
        this.#lose(how)
        this.#child.stdout!.destroy()
      }, DRAIN)
      this.#child.on('close', () => {
        clearTimeout(timer)
        this.#lose(how)
      })
    })
  }

  send(message: Uint8Array): void {
    const head = new Uint8Array(4)
    new DataView(head.buffer).setUint32(0, message.length, true)
    this.#child.stdin!.cork()
    this.#child.stdin!.write(head)
    this.#child.stdin!.write(message)
    this.#child.stdin!.uncork()
  }

  /** Ends it at once, with all that it has started. */
  kill(): void {
    this.#over = true
    this.#killGroup()
  }

  #killGroup(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
    } catch {
      // All have ended already.
    }
  }

  /** Lets it close its environments and end. */
  end(): void {
    this.#over = true
    this.#child.stdin!.end()
    const timer = setTimeout(() => this.kill(), ENDING)
    this.#child.on('exit', () => clearTimeout(timer))
  }

  #lose(lost: string, missing = false): void {
    if (this.#over) return
    this.#over = true
    this.#report({ process: this.#number, lost, missing })
  }
}

/** Puts messages together from the chunks in which they come: each is its length, u32, and that many bytes. */
class MessageReader {
  readonly #onMessage: (message: Uint8Array) => void
  readonly #head = new Uint8Array(4)
  /** The message that is coming, once its length is known. */
  #message: Uint8Array | undefined
  /** Bytes there are of the head or of the message. */
  #have = 0

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage
  }

  read(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      const target = this.#message ?? this.#head
      const part = chunk.subarray(at, at + target.length - this.#have)
      target.set(part, this.#have)
      this.#have += part.length
      at += part.length
      if (this.#have < target.length) return
      this.#have = 0
      if (this.#message === undefined) {
        this.#message = new Uint8Array(new DataView(this.#head.buffer).getUint32(0, true))
      } else {
        const message = this.#message
        this.#message = undefined
        this.#onMessage(message)
      }
    }
  }
}
