import { HatrpoError } from '../../errors.js'

type Register = (...args: number[]) => void

/** Parameters of embind's registrations that are read here, by position. */
const CLASS = { rawType: 0, name: 10 } as const
const PROPERTY = { classType: 0, name: 1 } as const
const FUNCTION = { name: 0, function: 5 } as const

/** A property of a class that embind has not defined yet. */
interface Pending {
  readonly name: string
  readonly define: () => void
}

/**
 * The registrations of MuJoCo's API, which its module makes when it starts. Notes the table positions of its functions,
 * and puts off the definition of its classes' properties until each is first used: there are 2000 of them, whose
 * definition takes longer than the rest of the start.
 */
export class Bindings {
  /** Position in the function table of every plain function, by name. */
  readonly positions = new Map<string, number>()
  readonly #memory: () => WebAssembly.Memory
  /** Names of classes, by embind's number of their type. */
  readonly #classes = new Map<number, string>()
  /** By class. */
  readonly #pending = new Map<string, Pending[]>()

  /** @param memory of the instance, which exists when the first registration is made */
  constructor(imports: WebAssembly.Imports, memory: () => WebAssembly.Memory) {
    this.#memory = memory
    const env = imports['env'] as Record<string, Register>
    intercept(env, '_embind_register_function', (register, args) => {
      this.positions.set(this.#text(args[FUNCTION.name]), args[FUNCTION.function])
      register(...args)
    })
    intercept(env, '_embind_register_class', (register, args) => {
      this.#classes.set(args[CLASS.rawType], this.#text(args[CLASS.name]))
      register(...args)
    })
    intercept(env, '_embind_register_class_property', (register, args) => {
      const owner = this.#classes.get(args[PROPERTY.classType])
      if (owner === undefined) return register(...args)
      const pending = this.#pending.get(owner) ?? []
      this.#pending.set(owner, pending)
      pending.push({ name: this.#text(args[PROPERTY.name]), define: () => register(...args) })
    })
  }

  /** Gives the classes their properties, each defined on first use. @param api all registrations of which are made */
  attach(api: object): void {
    for (const [owner, properties] of this.#pending) {
      const made: unknown = (api as Record<string, unknown>)[owner]
      if (typeof made !== 'function') for (const { define } of properties) define()
      else for (const property of properties) defineOnUse(made.prototype as object, property)
    }
    this.#pending.clear()
  }

  #text(address: number): string {
    const bytes = new Uint8Array(this.#memory().buffer)
    return String.fromCharCode(...bytes.subarray(address, bytes.indexOf(0, address)))
  }
}

function intercept(
  env: Record<string, Register>,
  name: string,
  instead: (register: Register, args: number[]) => void,
): void {
  const register = env[name]
  if (register === undefined)
    throw new HatrpoError(`@mujoco/mujoco does not import ${name}: is it version 3.14.0?`)
  env[name] = (...args) => instead(register, args)
}

/** An accessor that has itself replaced by embind's. */
function defineOnUse(prototype: object, { name, define }: Pending): void {
  Object.defineProperty(prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: object): unknown {
      define()
      return Reflect.get(this, name)
    },
    set(this: object, value: unknown) {
      define()
      Reflect.set(this, name, value)
    },
  })
}
