import { spawnSync } from 'node:child_process'
import t from 'tap'

t.test('a command that waits for what cannot happen any more ends with exit code 1 and a message', async (t) => {
  const main = JSON.stringify(new URL('../../lib/cli/main.js', import.meta.url).href)
  // Standard input that neither ends nor keeps the process alive.
  const script = `
    import { PassThrough } from 'node:stream'
    Object.defineProperty(process, 'stdin', { value: new PassThrough() })
    const { main } = await import(${main})
    process.exitCode = await main(['node', 'kun-stream', 'pipe', '--stages', 'clean', '--threads', '1'])`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    env: { ...process.env, KUN_STREAM_LANG: 'en' },
  })
  t.strictSame([status, stdout], [1, ''])
  t.match(stderr, /^the command stopped before it was done.*KUN_CONTRACT.*please report it\n/)
  t.match(stderr, /Run it again\./)
  t.notMatch(stderr, /Warning|\n\s+at /)
})
