// Entry point of a thread of the pool. Piscina loads it with `require`. If a thread is terminated while it requires an ES
// module, Node 20 can crash (v8::Module::IsGraphAsync); a dynamic import does not have this fault.

// Begun at once: the thread loads its code while the calling one still prepares its first task.
const loaded = import('./rollout.js')
// Each task reports it.
loaded.catch(() => {})

module.exports = async (order: unknown): Promise<unknown> => {
  const { default: run } = await loaded
  return run(order as Parameters<typeof run>[0])
}
