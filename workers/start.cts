// What Piscina loads in a thread of the pool. Piscina loads a file with `require` first. A thread that was ended while
// it required an ES module has once brought all of Node 20 down (v8::Module::IsGraphAsync); an import is not open to that.

/* eslint-disable-next-line no-undef -- this file is CommonJS */
module.exports = async (task: unknown): Promise<unknown> => {
  const { default: run } = await import('./rollout.js')
  return run(task as Parameters<typeof run>[0])
}
