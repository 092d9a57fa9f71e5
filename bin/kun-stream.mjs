#!/usr/bin/env node
// The command that npm links. It is not built itself: npm makes no link to a file that does not exist yet, and `npx` in a
// clone would still say "not found" after the build.
import { existsSync } from 'node:fs'

const built = new URL('../dist/bin/kun-stream.js', import.meta.url)
if (existsSync(built)) await import(built.href)
else {
  console.error('kun-stream is not built yet: run `npm run build` · kun-stream 尚未构建：请先运行 npm run build')
  process.exitCode = 2
}
