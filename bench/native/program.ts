import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Recording } from '../../src/bench/recording.js'
import type { PhysicsRival, PhysicsRound, PhysicsRun } from '../../src/bench/rivals.js'
import { LineProgram } from '../lines.js'
import { publishedXml } from './xml.js'

const SOURCE = fileURLToPath(new URL('../../../bench/native/step.c', import.meta.url))

/** bench/native/step.c, compiled into a folder of its own. */
export class NativeProgram implements PhysicsRival {
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
  async start(xml: string, recording: Recording): Promise<PhysicsRun> {
    const [model, episodes] = [join(this.#folder, 'model.xml'), join(this.#folder, 'episodes')]
    writeFileSync(model, publishedXml(xml))
    writeFileSync(episodes, numbersOf(recording))
    const program = new LineProgram('the native program', spawn(this.#binary, [model, episodes]))
    const { version } = (await program.next()) as { version: string }
    return new NativeRun(program, version)
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The program at work on one task. */
class NativeRun implements PhysicsRun {
  readonly version: string
  readonly #program: LineProgram

  constructor(program: LineProgram, version: string) {
    this.#program = program
    this.version = version
  }

  async round(): Promise<PhysicsRound> {
    return (await this.#program.ask('')) as PhysicsRound
  }

  close(): Promise<void> {
    return this.#program.close()
  }
}

/** The episodes as the program reads them. */
function numbersOf({ frames, blockSteps, episodes }: Recording): Float64Array {
  const numbers = [frames, blockSteps, episodes.length]
  for (const { qpos, qvel, controls } of episodes)
    numbers.push(controls.length, ...qpos, ...qvel, ...controls.flat())
  return Float64Array.from(numbers)
}
