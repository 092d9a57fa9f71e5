// Reads tap's own totals (`# { total: 9, pass: 8, fail: 1 }`) from a report and prints the last line of .ci/run.
import { readFileSync } from 'node:fs'

const report = readFileSync(process.argv[2], 'utf8')
const totals = [...report.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? ''
const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
const passed = count('pass')
const failed = count('fail')
console.log(`${passed} passed, ${failed} failed`)
if (passed === 0 || failed > 0) process.exitCode = 1
