#!/usr/bin/env node
// The command: lib/cli has all of it.
import { main } from '../lib/cli/main.js'

process.exitCode = await main(process.argv)
