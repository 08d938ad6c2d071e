import type { ModelFile } from './mujoco/disk.js'
import { loadMujoco, type Mujoco } from './mujoco/load.js'
import { PhysicsModel } from './mujoco/world.js'

/**
 * A model from a file: the compiled model, its files, and their digest.
 * @internal not declared to users, like its parts
 */
export interface LoadedModel extends Omit<ModelFile, 'handle'> {
  readonly model: PhysicsModel
}

/**
 * Resources that all environments of a thread share: one MuJoCo, and one compiled model per task. Make one per thread
 * and pass it to every factory.
 */
export class EnvContext {
  /** Called with one line when a process of environments failed and was restarted. Results do not change. */
  readonly onRestart: ((what: string) => void) | undefined
  readonly #module: WebAssembly.Module | undefined
  #loading: Promise<Mujoco> | undefined
  readonly #models = new Map<string, PhysicsModel>()
  readonly #modelFiles = new Map<string, LoadedModel>()

  /**
   * @param options.mujoco result of `compileMujoco`, which saves each thread the compilation
   * @param options.onRestart called with one line for every restarted process
   */
  constructor(options: { mujoco?: WebAssembly.Module; onRestart?: (what: string) => void } = {}) {
    this.#module = options.mujoco
    this.onRestart = options.onRestart
  }

  /**
   * This thread's MuJoCo, loaded on first use.
   * @internal not declared to users: the declarations of @mujoco/mujoco do not hold without skipLibCheck
   */
  mujoco(): Promise<Mujoco> {
    return (this.#loading ??= loadMujoco(this.#module))
  }

  /**
   * The compiled model of an MJCF document.
   * @internal like `mujoco`
   */
  async model(xml: string): Promise<PhysicsModel> {
    const mujoco = await this.mujoco()
    let model = this.#models.get(xml)
    if (model === undefined) {
      model = new PhysicsModel(mujoco, xml)
      this.#models.set(xml, model)
    }
    return model
  }

  /**
   * The compiled model of an MJCF file, read once.
   * @internal like `mujoco`
   * @param path absolute
   * @throws HatrpoError when the file is not there or does not compile
   */
  async modelFile(path: string): Promise<LoadedModel> {
    const mujoco = await this.mujoco()
    // Loaded only by those who need it: pages have no disk.
    const { loadModelFile } = await import('./mujoco/disk.js')
    let loaded = this.#modelFiles.get(path)
    if (loaded === undefined) {
      const { handle, files, sha256 } = loadModelFile(mujoco, path)
      loaded = { model: new PhysicsModel(mujoco, handle), files, sha256 }
      this.#modelFiles.set(path, loaded)
    }
    return loaded
  }
}
