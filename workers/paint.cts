// Entry point of a thread that draws pictures. Piscina loads it with `require`; start.cts has the reason for the import.

const loaded = import('./paint.js')
// Each task reports it.
loaded.catch(() => {})

module.exports = async (order: unknown): Promise<unknown> => {
  const { default: run } = await loaded
  return run(order as Parameters<typeof run>[0])
}
