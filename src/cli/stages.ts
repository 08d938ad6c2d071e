/** Seconds without an output after which a stage is named, and those until the next such line. */
const FIRST_AFTER = 2
const THEN_EVERY = 10

/** Names what a long check does, in a line after two seconds and then every ten. */
export interface Stages {
  /** To be called often, with what is done next. */
  readonly progress: (stage: string) => void
  stop(): void
}

/** @param now clock, in milliseconds */
export function tellStages(
  stream: Pick<NodeJS.WritableStream, 'write'>,
  now = () => performance.now(),
): Stages {
  const begun = now()
  let due = FIRST_AFTER
  let stage = 'starting'
  const tell = () => {
    const seconds = (now() - begun) / 1000
    if (seconds < due) return
    due = seconds + THEN_EVERY
    stream.write(`checking for ${seconds.toFixed(0)} s: ${stage}\n`)
  }
  // For stages that wait for another process; those that keep this one busy tell of themselves.
  const timer = setInterval(tell, 500)
  const progress = (next: string) => {
    stage = next
    tell()
  }
  return { progress, stop: () => clearInterval(timer) }
}
