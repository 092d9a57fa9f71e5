#!/usr/bin/env node
// The command: lib/cli has all of it. Loading it takes a second on a slow machine, and a signal may come before it.
import { endAtStopSignal } from '../lib/cli/terminal/stop-signals.js'
import { languageOf, languageVariable } from '../lib/language/language.js'

// Threads inherit it.
process.env[languageVariable] = languageOf(process.argv.slice(2), process.env)
endAtStopSignal(process.argv[2])
const { main } = await import('../lib/cli/main.js')
process.exitCode = await main(process.argv)
