/** Renames a file unless the target exists: rename(2) would replace another process's file. */
import { errnoOf, type FileLayer } from './files.js'

/** Errno values of file systems without hard links: exFAT, some of FUSE, SMB. */
export const linkUnsupported: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
  'EMLINK',
])

/**
 * Renames `from` to `to`, by link(2) and unlink(2). A crash between them leaves both names on one file. On file systems
 * without hard links, checks that `to` is missing and renames.
 *
 * @returns false if `to` exists; nothing changed then
 */
export async function renameExclusively(files: FileLayer, from: string, to: string): Promise<boolean> {
  try {
    await files.link(from, to)
  } catch (error) {
    const errno = errnoOf(error) ?? ''
    if (linkUnsupported.has(errno)) {
      if ((await files.sizeBytes(to)) !== null) return false
      await files.rename(from, to)
      return true
    }
    if (errno !== 'EEXIST') throw error
    // Over NFS the reply may be lost: the repeated request finds the first one's link and reports EEXIST.
    if ((await files.linkCount(from)) !== 2) return false
  }
  await files.remove(from)
  return true
}
