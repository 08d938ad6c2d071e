// Takes the lock of the folder named on the command line, says whether it could, and holds it for a while.
import { RunLock } from '../../src/runs/lock.js'

try {
  new RunLock(process.argv[2])
  console.log('held')
  setTimeout(() => {}, 3000)
} catch {
  console.log('refused')
}
