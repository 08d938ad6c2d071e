// Entry point of a thread of the pool. Piscina loads it with `require`. If a thread is terminated while it requires an ES
// module, Node 20 can crash (v8::Module::IsGraphAsync); a dynamic import does not have this fault.

/* eslint-disable-next-line no-undef -- this file is CommonJS */
module.exports = async (task: unknown): Promise<unknown> => {
  const { default: run } = await import('./rollout.js')
  return run(task as Parameters<typeof run>[0])
}
