// Runs the command with each of the lists of arguments in standard input, in turn in this process, and prints what each
// one printed and its exit code, as JSON. For commands that end before they start anything.
import { createProgram } from '../../src/cli/program.js'
import { runCommand } from '../../src/cli/run.js'
import type { Outcome } from './command.js'

/** Collects what is written to a stream. @returns the text so far, after restoring the stream */
function capture(stream: NodeJS.WriteStream): () => string {
  const write = stream.write
  let text = ''
  stream.write = (chunk: string | Uint8Array) => {
    text += String(chunk)
    return true
  }
  return () => {
    stream.write = write
    return text
  }
}

let input = ''
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk)
process.stdout.setMaxListeners(0)
const outcomes: Outcome[] = []
for (const args of JSON.parse(input) as string[][]) {
  const [stdout, stderr] = [process.stdout, process.stderr].map(capture)
  process.exitCode = 0
  await runCommand(createProgram(), args)
  outcomes.push({ stdout: stdout(), stderr: stderr(), code: Number(process.exitCode) })
}
process.exitCode = 0
process.stdout.write(JSON.stringify(outcomes))
