import { HatrpoError } from '../src/errors.js'

/** Runs a program. Where the user is at fault, it ends with one line and an exit code. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof HatrpoError)) throw error
    console.error(error.message)
    process.exitCode = error.exitCode
  }
}
