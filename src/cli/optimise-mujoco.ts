import { Command } from 'commander'

export function optimiseMujocoCommand(): Command {
  return new Command('optimise-mujoco')
    .description("Optimise MuJoCo's WebAssembly binary once for all later runs of this user.")
    .addHelpText(
      'after',
      `
Needs the package binaryen (npm install --save-dev binaryen), and takes one to three minutes. A step of an environment is
then 7 to 19 % faster on Node 20, and up to 5 % faster on Node 26. After every task has given the same bits with both
binaries, the result is stored in ~/.cache/hatrpo (or in XDG_CACHE_HOME) under the SHA-256 of the original. Delete the file
to undo it.

Example:
  hatrpo optimise-mujoco`,
    )
    .action(async () => {
      const { optimiseMujoco } = await import('../envs/mujoco/optimise.js')
      const { file, before, after, compared } = await optimiseMujoco()
      const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
      process.stdout.write(
        `${file}: ${mebibytes(after)} MiB instead of ${mebibytes(before)}, the same bits on ${compared} tasks\n`,
      )
    })
}
