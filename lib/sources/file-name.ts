/**
 * File names as bytes and as text. On Linux a name is a byte string that need not be UTF-8. Such a file is opened by its
 * bytes, and shown with every byte from 0x80 on as `%XX`, so that ids and messages can contain the name.
 */
import { Buffer } from 'node:buffer'
import { sep } from 'node:path'

/** A path in the file system. */
export interface FilePlace {
  /** Path for system calls: text, or bytes if a name in it is not UTF-8. */
  readonly raw: string | Buffer
  /** Absolute, as messages show it. */
  readonly shown: string
}

/** Example: the GBK bytes of 中文.jsonl → '%D6%D0%CE%C4.jsonl'; a name in UTF-8 is unchanged. */
function shownName(name: Buffer): string {
  const text = name.toString('utf8')
  if (Buffer.from(text).equals(name)) return text
  return name.toString('latin1').replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Returns the path of an entry of a directory. */
export function placeIn(directory: FilePlace, name: Buffer): FilePlace {
  const shown = shownName(name)
  const isText = typeof directory.raw === 'string' && Buffer.from(shown).equals(name)
  return {
    raw: isText ? join(directory.raw as string, shown) : Buffer.concat([withSeparator(directory.raw), name]),
    shown: join(directory.shown, shown),
  }
}

/** Returns text that sorts and compares as the bytes of the path. */
export function placeKey({ raw }: FilePlace): string {
  return Buffer.from(raw as string).toString('latin1')
}

function join(directory: string, name: string): string {
  return directory.endsWith(sep) ? directory + name : directory + sep + name
}

function withSeparator(directory: string | Buffer): Buffer {
  const bytes = Buffer.from(directory as string)
  return bytes.at(-1) === sep.charCodeAt(0) ? bytes : Buffer.concat([bytes, Buffer.from(sep)])
}
