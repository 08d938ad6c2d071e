import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Recording } from '../recording.js'
import { publishedXml } from './xml.js'

const SOURCE = fileURLToPath(new URL('../../../bench/native/step.c', import.meta.url))

/** Result of a round of the native program; the counts are averages over the ends of blocks. */
export interface NativeRound {
  /** [blocks] microseconds of CPU time a step. */
  readonly us: readonly number[]
  readonly contacts: number
  readonly constraints: number
  readonly iterations: number
}

/** bench/native/step.c, compiled into a folder of its own. */
export class NativeProgram {
  readonly #folder: string
  readonly #binary: string

  /** Use `NativeProgram.compile`. */
  constructor(folder: string) {
    this.#folder = folder
    this.#binary = join(folder, 'step')
  }

  /** @returns the program, or one line that says what is missing */
  static compile(): NativeProgram | string {
    const compiler = process.env['CC'] ?? 'cc'
    const program = new NativeProgram(mkdtempSync(join(tmpdir(), 'hatrpo-bench-')))
    const args = ['-O2', '-o', program.#binary, SOURCE, '-lmujoco', '-lm']
    const { error, status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' })
    if (status === 0) return program
    program.dispose()
    if (error) return `there is no C compiler ${compiler}: install gcc, or name one in CC`
    if (/mujoco\/mujoco\.h|lmujoco/.test(stderr)) return 'there is no libmujoco: install libmujoco-dev'
    return `${compiler} cannot compile ${SOURCE}: ${stderr.trim().split('\n')[0]}`
  }

  /** Starts the program on a model and recorded episodes. */
  async start(xml: string, recording: Recording): Promise<NativeRun> {
    const [model, episodes] = [join(this.#folder, 'model.xml'), join(this.#folder, 'episodes')]
    writeFileSync(model, publishedXml(xml))
    writeFileSync(episodes, numbersOf(recording))
    return NativeRun.start(spawn(this.#binary, [model, episodes]))
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The program at work on one task. */
export class NativeRun {
  /** Of libmujoco. */
  readonly version: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  /** Use `NativeProgram.start`. */
  constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, version: string) {
    this.#child = child
    this.#lines = lines
    this.version = version
  }

  static async start(child: ChildProcessWithoutNullStreams): Promise<NativeRun> {
    child.stderr.pipe(process.stderr)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const { version } = (await nextLine(lines)) as { version: string }
    return new NativeRun(child, lines, version)
  }

  /** Runs all episodes once. */
  async round(): Promise<NativeRound> {
    this.#child.stdin.write('\n')
    return (await nextLine(this.#lines)) as NativeRound
  }

  close(): void {
    this.#child.stdin.end()
  }
}

async function nextLine(lines: AsyncIterator<string>): Promise<unknown> {
  const line = (await lines.next()) as IteratorResult<string, undefined>
  if (line.done === true) throw new Error('the native program stopped')
  return JSON.parse(line.value)
}

/** The episodes as the program reads them. */
function numbersOf({ frames, blockSteps, episodes }: Recording): Float64Array {
  const numbers = [frames, blockSteps, episodes.length]
  for (const { qpos, qvel, controls } of episodes)
    numbers.push(controls.length, ...qpos, ...qvel, ...controls.flat())
  return Float64Array.from(numbers)
}
