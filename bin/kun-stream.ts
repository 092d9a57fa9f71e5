#!/usr/bin/env node
// The command: lib/cli/start.ts, from the bundle, which is a fifth of the time to load. In a clone the bundle may be
// older than the modules that it was built from: then from these.
import { statSync } from 'node:fs'
import module from 'node:module'

const built = statSync(new URL('../.tsbuildinfo', import.meta.url), { throwIfNoEntry: false })
const bundled = statSync(new URL('../bundle/lib/cli/start.js', import.meta.url), { throwIfNoEntry: false })
const isCurrent = bundled !== undefined && (built === undefined || built.mtimeMs <= bundled.mtimeMs)
// From Node 22.1 on, compiled code is kept for the next call.
;(module as { enableCompileCache?: () => void }).enableCompileCache?.()
const modules = isCurrent ? '../bundle/lib' : '../lib'
const { start } = (await import(`${modules}/cli/start.js`)) as typeof import('../lib/cli/start.js')
process.exitCode = await start(process.argv)
