/**
 * Stands in for `kun-stream submit DIR --element`: commits a result for each unit of an element, first wins, and writes what
 * it did to a file. Arguments: run directory, submission, array, element.
 */
import { appendFileSync, existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { unitsOfElement } from '../../lib/slurm/submission.js'
import { resultKey } from '../../lib/units/unit-keys.js'

const [directory = '', submission = '', array = '', element = ''] = process.argv.slice(2)
const node = process.env.SLURMD_NODENAME ?? ''
const restart = Number(process.env.SLURM_RESTART_COUNT ?? 0)
const note = (words: string) => appendFileSync(join(directory, 'events'), `${words}\n`)
/** Files in the run directory say what shall happen. */
const shall = (what: string) => existsSync(join(directory, what))

note(`start ${array}/${element} ${node} restart=${restart}`)
if (shall(`fail-once-${array}-${element}`) && restart === 0) process.exit(1)
if (shall(`wrong-${array}-${element}`)) process.exit(2)
if (shall(`hang-on-${node}`) || (shall(`hang-${array}-${element}`) && restart === 0)) {
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => undefined, 1000)
    process.once('SIGTERM', () => {
      clearInterval(timer)
      note(`term ${array}/${element}`)
      resolve()
    })
  })
  process.exit(3)
}
for (const id of await unitsOfElement(submission, Number(array), Number(element))) {
  const target = join(directory, resultKey(id))
  mkdirSync(dirname(target), { recursive: true })
  const own = `${target}.${process.pid}`
  writeFileSync(own, '')
  try {
    linkSync(own, target)
    note(`unit ${id}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    note(`twice ${id}`)
  }
  rmSync(own)
}
