/** A shard that the account may not read, for real: as root the command runs as another account. */

import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { projectRoot } from '../support/root.js'
import { documents } from './mini-run.js'

t.setTimeout(180_000)

/** nobody, on most systems. */
const nobodyId = 65534
const program = join(projectRoot, 'dist/bin/kun-stream.js')

t.test('a shard without permission is one reject with its code, and the others are read', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'kun-no-permission-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  chmodSync(root, 0o777)
  mkdirSync(join(root, 'in'))
  writeFileSync(join(root, 'in/a.jsonl'), `${documents(3).join('\n')}\n`)
  writeFileSync(join(root, 'in/b.jsonl'), `${documents(1).join('\n')}\n`)
  chmodSync(join(root, 'in/b.jsonl'), 0)
  const recipe = {
    name: 'denied',
    sources: [{ split: 'a', preset: 'skypile', files: ['in/*.jsonl'] }],
    workers: { threads: 1 },
    models: { builtin: { endpoints: ['builtin'] } },
    kun: { label: { model: 'builtin' }, score: { model: 'builtin' }, polish: { model: 'builtin' } },
    output: { dir: 'out' },
  }
  writeFileSync(join(root, 'r.yaml'), JSON.stringify(recipe))
  const other = process.getuid?.() === 0 ? { uid: nobodyId, gid: nobodyId } : {}
  const options = { cwd: root, timeout: 120_000, killSignal: 'SIGKILL' as const, ...other }
  await promisify(execFile)(process.execPath, [program, 'run', 'r.yaml'], options)
  const rejects = []
  for (const name of await nodeFiles.list(join(root, 'out/rejects'))) {
    const part = await openPart(join(root, 'out/rejects', name))
    for await (const row of rowsOf(part)) rejects.push(row)
    await part.close()
  }
  const ofShards = rejects.filter(({ reason }) => String(reason).startsWith('shard-'))
  t.match(ofShards, [{ shard: 'b.jsonl', stage: 'read', reason: 'shard-unreadable', detail: /EACCES/ }])
  t.equal(ofShards.length, 1)
  t.ok(rejects.every(({ shard }) => shard === 'a.jsonl' || shard === 'b.jsonl'))
})
