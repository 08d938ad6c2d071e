// What Piscina loads in a thread of the pool. Piscina loads a file with `require` first, and Node 20 and 22 abort the
// whole process when a thread is ended while it requires an ES module; an import is safe to end.

/* eslint-disable-next-line no-undef */
module.exports = async (task: unknown): Promise<unknown> => {
  const { default: run } = await import('./rollout.js')
  return run(task as Parameters<typeof run>[0])
}
