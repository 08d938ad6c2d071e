// Waits for a signal in the same way as `train`, ends in an orderly way half a second later and prints each event.
import { Interrupt } from '../../src/cli/interrupt.js'

const interrupt = new Interrupt(() => console.log('announced'))
const alive = setInterval(() => {}, 1000)
interrupt.signal.addEventListener('abort', () => {
  setTimeout(() => {
    interrupt.stop()
    clearInterval(alive)
    console.log('ended')
    process.exitCode = interrupt.exitCode ?? 1
  }, 500)
})
console.log('ready')
