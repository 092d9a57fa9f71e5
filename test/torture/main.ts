/**
 * `npm run torture [-- --kills N --flips N --seed S --dir DIR --with FORM]`: 200 kills and no flips by default; exit code 1
 * when anything did not hold. A kind of torture is a file beside this one that returns its faults.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { flipBits } from './flips.js'
import { forms as allForms } from './forms.js'
import { torture } from './torture.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    flips: { type: 'string', default: '0' },
    seed: { type: 'string' },
    dir: { type: 'string' },
    with: { type: 'string', multiple: true },
  },
})
const asked = values.with?.flatMap((names) => (isForm(names) ? [names] : names.split(',')))
const named = allForms.filter(({ name }) => asked?.includes(name) ?? true)
if (named.length < (asked?.length ?? 0)) throw new Error(`--with takes ${allForms.map(({ name }) => name).join(' | ')}`)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const directory = values.dir ?? mkdtempSync(join(tmpdir(), 'kun-torture-'))
process.stdout.write(`seed ${seed}, in ${directory}\n`)
const say = (line: string) => void process.stderr.write(`${line}\n`)
const {
  forms,
  places,
  faults: killFaults,
  ...report
} = await torture({
  kills: Number(values.kills),
  seed,
  directory,
  forms: named,
  say,
})
for (const [place, count] of Object.entries(places).sort())
  process.stdout.write(`${String(count).padStart(5)}  ${place}\n`)
const byForm = Object.entries(forms).map(([form, count]) => `${count} ${form}`)
process.stdout.write(
  `${report.kills} kills (${byForm.join('; ')}) in ${report.runs} runs; ${report.requests} requests answered, ${report.paidTwice} of them a ` +
    'second time because the reply died with the process before it was written\n',
)
const flipped = await flipBits({ flips: Number(values.flips), seed, directory: join(directory, 'flips'), say })
for (const counts of [flipped.files, flipped.outcomes]) {
  for (const [what, count] of Object.entries(counts).sort())
    process.stdout.write(`${String(count).padStart(5)}  ${what}\n`)
}
process.stdout.write(`${flipped.flips} flipped bits\n`)
const faults = [...killFaults, ...flipped.faults]
for (const fault of faults) process.stdout.write(`FAULT ${fault}\n`)
process.stdout.write(faults.length === 0 ? 'all as it should be\n' : `${faults.length} faults, seed ${seed}\n`)
if (faults.length === 0 && values.dir === undefined) rmSync(directory, { recursive: true })
process.exitCode = faults.length === 0 ? 0 : 1

function isForm(name: string): boolean {
  return allForms.some((form) => form.name === name)
}
