/** Locks the directory it is given, and ends with exit code 7 without releasing it. */

import { writeSync } from 'node:fs'
import { lockRunDirectory } from '../../lib/storage/lock/lock.js'

await lockRunDirectory(process.argv[2] as string)
writeSync(1, 'locked')
process.exit(7)
