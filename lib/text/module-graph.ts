/**
 * The module graph of a filter: its file and all direct and transitive imports, by content; packages by name, version
 * and package.json. Dependencies that appear only at run time (a computed name, a file that is read) are not detected;
 * see docs/filters.md.
 */

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { builtinModules, createRequire } from 'node:module'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { init, parse } from 'es-module-lexer'
import { errorCode } from '../caught-error.js'
import { isRecord } from '../core/objects.js'

/** Largest number of files of a filter; one that needs more should be bundled or be a package. */
const filesMax = 5_000

/** By path relative to the filter's directory, or `npm:name`: a sha256, or a version with the sha256 of package.json. */
export type ModuleHashes = Readonly<Record<string, string>>

/** `require('name')`, of CommonJS and `createRequire`. A match in a comment only adds a file. */
const requireCalls = /\brequire(?:\.resolve)?\s*\(\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)"|`([^`\\$\n]+)`)\s*\)/g

/** Suffixes that Node tries for a path in `require`, in this order; imports name the file itself. */
const requireEndings = ['', '.js', '.json', '.node', '/index.js', '/index.json', '/index.node']

const scripts = /\.(mjs|cjs|js|jsx|mts|cts|ts)$|^[^.]+$/

/**
 * Returns the hashes of everything that the module at `entry` imports by a literal name, in order of path, without the entry.
 *
 * @throws the system's error where the entry cannot be read; a missing import is left to the loader
 * @throws {RangeError} there are more than 5,000 files
 */
export async function moduleGraph(entry: string): Promise<ModuleHashes> {
  await init
  const root = dirname(entry)
  const hashes = new Map<string, string>()
  const seen = new Set([entry])
  const waiting = [{ file: entry, bytes: await readFile(entry) }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, bytes } = next
    if (file !== entry) hashes.set(shown(relative(root, file)), sha256(bytes))
    if (!scripts.test(basename(file))) continue
    for (const specifier of specifiersOf(bytes.toString('utf8'))) {
      const target = await targetOf(specifier, file)
      if (target === null || seen.has(target.file)) continue
      seen.add(target.file)
      if (seen.size > filesMax) throw new RangeError(`more than ${filesMax} modules are imported`)
      const content = await readFile(target.file)
      if (target.name === null) waiting.push({ file: target.file, bytes: content })
      else hashes.set(packageKey(target.name, hashes), `${versionOf(content)} ${sha256(content)}`)
    }
  }
  return Object.fromEntries([...hashes].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Returns the literal names in imports of every kind and in `require`. */
function specifiersOf(text: string): Set<string> {
  const found = new Set<string>()
  try {
    for (const each of parse(text)[0]) {
      if (each.type === 'import-meta' || (each.type === 'dynamic' && each.glob)) continue
      if (each.specifier !== undefined) found.add(each.specifier)
    }
  } catch (error) {
    // Not valid for the lexer: CommonJS that is not valid ESM, or a syntax error that the loader reports.
    if (!(error instanceof Error)) throw error
  }
  for (const [, single, double, back] of text.matchAll(requireCalls)) {
    const name = single ?? double ?? back
    if (name !== undefined) found.add(name)
  }
  return found
}

interface Target {
  readonly file: string
  /** Name of the package; null for a file of the filter itself. */
  readonly name: string | null
}

async function targetOf(specifier: string, from: string): Promise<Target | null> {
  if (specifier.startsWith('node:') || specifier.startsWith('data:') || builtinModules.includes(specifier)) return null
  if (specifier.startsWith('#')) return ownImport(specifier, from)
  if (/^(\.{0,2}\/|file:)/.test(specifier) || specifier === '.' || specifier === '..') {
    const file = await fileOf(specifier, from)
    return file === null ? null : { file, name: null }
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  for (let directory = dirname(from); ; directory = dirname(directory)) {
    const file = join(directory, 'node_modules', ...name.split('/'), 'package.json')
    if (await isFile(file)) return { file, name }
    if (directory === dirname(directory)) return null
  }
}

/** Resolves `#name` of the nearest package.json. */
function ownImport(specifier: string, from: string): Target | null {
  try {
    const file = createRequire(from).resolve(specifier)
    return file.startsWith(sep) || /^[A-Za-z]:/.test(file) ? { file, name: null } : null
  } catch (error) {
    if (errorCode(error) !== undefined) return null
    throw error
  }
}

async function fileOf(specifier: string, from: string): Promise<string | null> {
  const plain = specifier.replace(/[?#].*$/, '')
  const places = [resolve(dirname(from), specifier), resolve(dirname(from), plain)]
  const base = pathToFileURL(from).href
  if (URL.canParse(plain, base)) places.unshift(fileURLToPath(new URL(plain, base)))
  for (const place of new Set(places)) {
    for (const ending of requireEndings) if (await isFile(place + ending)) return place + ending
  }
  return null
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (errorCode(error) !== undefined) return false
    throw error
  }
}

/** Returns an unused key: two versions of a package may be installed at different depths. */
function packageKey(name: string, taken: ReadonlyMap<string, string>): string {
  let key = `npm:${name}`
  for (let copy = 2; taken.has(key); copy++) key = `npm:${name} (${copy})`
  return key
}

function versionOf(content: Buffer): string {
  try {
    const found: unknown = JSON.parse(content.toString('utf8'))
    return String((isRecord(found) ? found.version : null) ?? 'unknown')
  } catch {
    return 'unknown'
  }
}

function shown(path: string): string {
  return path.split(sep).join('/')
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
