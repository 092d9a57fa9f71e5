/** Parses the body of a commit request, one JSON object per line, into changes of a tree. */
import { HubRefusal } from './access.js'
import type { HubStore, TreeChange } from './store.js'

export type CommitLine =
  | { key: 'header'; value: { summary: string; description?: string; parentCommit?: string } }
  | { key: 'file'; value: { content: string; path: string; encoding?: 'base64' | 'utf-8' } }
  | { key: 'lfsFile'; value: { path: string; algo: string; oid: string; size: number } }
  | { key: 'deletedFile'; value: { path: string } }

export function commitChanges(
  lines: readonly CommitLine[],
  store: HubStore,
): { summary: string; parentCommit: string | undefined; changes: TreeChange[] } {
  let summary = ''
  let parentCommit: string | undefined
  const changes: TreeChange[] = []
  for (const line of lines) {
    if (line.key === 'header') {
      summary = line.value.summary
      parentCommit = line.value.parentCommit
    } else {
      changes.push(changeOf(line, store))
    }
  }
  if (summary === '') throw new HubRefusal(400, 'a commit needs a summary')
  return { summary, parentCommit, changes }
}

function changeOf(line: Exclude<CommitLine, { key: 'header' }>, store: HubStore): TreeChange {
  const { path } = line.value
  if (path === '' || path.startsWith('/') || path.split('/').includes('..')) {
    throw new HubRefusal(400, `not a path inside a repository: ${path}`)
  }
  if (line.key === 'deletedFile') return { path, deleted: true }
  if (line.key === 'file') {
    const encoding = line.value.encoding === 'base64' ? 'base64' : 'utf8'
    return { path, content: Buffer.from(line.value.content, encoding) }
  }
  const { oid, size } = line.value
  if (!store.hasBlob(oid, size)) {
    throw new HubRefusal(400, `LFS pointer pointed to a file that does not exist: ${path} (${oid}, ${size} bytes)`)
  }
  return { path, sha256: oid, sizeBytes: size }
}
