/** What README and docs show must exist and must work: links, paths, recipes, commands and their options. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import t from 'tap'
import { parse } from 'yaml'
import { registerCommands } from '../lib/cli/command-loaders.js'
import * as errors from '../lib/errors.js'
import { parseRecipe } from '../lib/recipe/index.js'
import * as runLayout from '../lib/storage/run-layout.js'
import { commandNames, pageLanguages, pagePath, pageText, writerCommand } from './support/command-pages.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['README.md', 'README.zh.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].concat(
  readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
)

const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

/** The fenced blocks of a page, by language ('' when none is named). */
function blocks(page: string, language: string): string[] {
  const fences = [...textOf(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
  return fences.filter(([, named]) => named === language).map(([, , text]) => text as string)
}

/** As GitHub makes them: lower case, blanks to hyphens, punctuation gone. */
function anchors(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading as string)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

t.test('every relative link leads to a file, and to a heading where it names one', async (t) => {
  let checked = 0
  for (const page of pages) {
    const prose = textOf(page).replace(/^```[\s\S]*?^```$/gm, '')
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      checked++
      t.ok(existsSync(join(root, file)), `${page}: ${target}`)
      if (anchor !== undefined) t.ok(anchors(textOf(file)).includes(anchor), `${page}: heading of ${target}`)
    }
  }
  t.ok(checked > 30, `${checked} links were looked at`)
})

t.test('every path of this repository that a page names exists', async (t) => {
  let checked = 0
  for (const page of pages) {
    // The changelog describes files of earlier versions.
    if (page === 'CHANGELOG.md') continue
    for (const path of new Set(pathsIn(textOf(page)))) {
      checked++
      t.ok(existsSync(join(root, path)), `${page}: ${path}`)
    }
  }
  t.ok(checked > 60, `${checked} paths were looked at`)
})

t.test('every name of the code that a page for developers shows occurs in the code', async (t) => {
  const sources = ['lib', 'test', 'bench'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && name !== 'docs.test.ts')
      .map((name) => textOf(join(folder, name))),
  )
  const words = new Set(sources.flatMap((text) => text.match(/\w+/g) ?? []))
  let checked = 0
  for (const page of pages) {
    if (!/CONTRIBUTING|architecture|formats|map|debugging|performance|decisions/.test(page)) continue
    for (const [, code = ''] of textOf(page).matchAll(/`([^`\n]+)`/g)) {
      // A name with a capital inside: prose and names of files have none.
      if (!/^[A-Za-z]*[a-z][A-Z]\w*$/.test(code)) continue
      checked++
      t.ok(words.has(code), `${page}: ${code}`)
    }
  }
  t.ok(checked > 20, `${checked} names were looked at`)
})

t.test('docs/formats.md describes every file and folder of a run directory', async (t) => {
  const names = Object.values(runLayout).flat()
  let checked = 0
  for (const name of names) {
    if (typeof name !== 'string') continue
    checked++
    t.ok(textOf('docs/formats.md').includes(name), name)
  }
  t.ok(checked > 20, `${checked} names were looked at`)
})

t.test('the index of decisions links to every decision', async (t) => {
  const pagesThere = readdirSync(join(root, 'docs/decisions')).filter((name) => name !== 'README.md')
  for (const page of pagesThere) t.match(textOf('docs/decisions/README.md'), `(${page})`, page)
  t.ok(pagesThere.length > 10)
})

t.test('the table of exit codes has every error code, in the row of its exit code', async (t) => {
  const rows = [...textOf('docs/operations.md').matchAll(/^\| ([123]) \| (.*KUN_\w+.*) \|$/gm)]
  const codesOf = new Map(rows.map(([, exitCode, text]) => [Number(exitCode), text as string]))
  let checked = 0
  for (const each of Object.values(errors)) {
    if (each === errors.KunStreamError || !(each.prototype instanceof errors.KunStreamError)) continue
    const { code, exitCode } = new (each as typeof errors.UsageError)('')
    t.ok(codesOf.get(exitCode)?.includes(`\`${code}\``), `${code} has exit code ${exitCode}`)
    checked++
  }
  t.ok(checked > 25, `${checked} codes`)
})

t.test('every recipe and every piece of one that a page shows is accepted', async (t) => {
  const base = parse(readFileSync(join(root, 'recipes/demo.yaml'), 'utf8')) as Record<string, object>
  let checked = 0
  for (const page of pages) {
    for (const yaml of blocks(page, 'yaml')) {
      const shown = parse(yaml) as Record<string, unknown>
      const whole = 'name' in shown ? shown : withPieces(base, shown)
      checked++
      t.doesNotThrow(() => parseRecipe(JSON.stringify(whole), page), `${page}: ${yaml.slice(0, 60)}`)
    }
  }
  t.ok(checked >= 6, `${checked} were looked at`)
})

t.test('every recipe of the repository is accepted', async (t) => {
  for (const name of readdirSync(join(root, 'recipes')).filter((each) => each.endsWith('.yaml'))) {
    t.doesNotThrow(() => parseRecipe(readFileSync(join(root, 'recipes', name), 'utf8'), name), name)
  }
})

t.test('every command that a page shows is there, with its options', async (t) => {
  const program = new Command('kun-stream')
  await registerCommands(program)
  let checked = 0
  for (const page of pages) {
    // A command stands in a shell block or between backticks, with its name before it.
    const lines = [...blocks(page, 'sh'), ...blocks(page, '')].flatMap((block) => block.split('\n'))
    const inline = [...textOf(page).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string)
    for (const line of [...lines, ...inline]) {
      const [, rest] = /^(?:npx )?kun-stream ([^#|]*)/.exec(line) ?? []
      if (rest === undefined || /^[-…]/.test(rest)) continue
      const words = rest.trim().split(/\s+/)
      let command = program.commands.find((each) => each.name() === words[0])
      command = command?.commands.find((each) => each.name() === words[1]) ?? command
      checked++
      t.ok(command, `${page}: ${line}`)
      const known = command?.options.flatMap(({ short, long }) => [short, long]) ?? []
      for (const word of words) if (/^--?[a-z]/.test(word)) t.ok(known.includes(word), `${page}: ${word} in ${line}`)
    }
  }
  t.ok(checked > 15, `${checked} were looked at`)
})

t.test('both READMEs list every command, and each links to every page of docs', async (t) => {
  const program = new Command('kun-stream')
  await registerCommands(program)
  for (const page of ['README.md', 'README.zh.md']) {
    for (const command of program.commands) t.match(textOf(page), `\`${command.name()}`, `${page}: ${command.name()}`)
    for (const each of readdirSync(join(root, 'docs'))) t.match(textOf(page), `(docs/${each}`, `${page}: ${each}`)
  }
})

t.test('every command has a page in both languages, with its arguments and options as they are declared', async (t) => {
  for (const language of pageLanguages) {
    for (const name of [undefined, ...commandNames]) {
      const path = pagePath(language, name)
      if (!t.ok(existsSync(join(root, path)), `${path} exists: ${writerCommand} begins it`)) continue
      t.ok(textOf(path) === (await pageText(language, name)), `${path} is up to date: ${writerCommand}`)
      if (name === undefined) continue
      t.ok(proseLength(path) > 50, `${path} says what the command is for, before its generated part`)
      t.ok(blocks(path, 'sh').length > 0, `${path} has an example`)
      t.match(textOf(path), /^\| 0 \| .+\|$/m, `${path} has its exit codes`)
    }
  }
})

t.test('a page has the same headings, code and tables in both languages', async (t) => {
  const translations = pages.filter((page) => page.endsWith('.zh.md'))
  for (const page of translations) {
    const original = page.replace('.zh.md', '.md')
    t.ok(textOf(original).includes(`(${basename(page)})`), `${original} links to its translation`)
    t.ok(textOf(page).includes(`(${basename(original)})`), `${page} links to its original`)
    if (page === 'README.zh.md') continue
    t.strictSame(outline(page), outline(original), page)
  }
  t.ok(translations.length > 30, `${translations.length} pages`)
})

/** Levels of headings, code without its comments (only counted where output is shown), the number of rows of tables, error codes. */
function outline(page: string): unknown {
  const text = textOf(page).replace(/^```[\s\S]*?^```$/gm, '')
  return {
    headings: [...text.matchAll(/^(#+) /gm)].map(([, level]) => level),
    code: ['sh', 'yaml', 'js', 'ts', 'python'].map((language) =>
      blocks(page, language).map((block) => block.replace(/ *(?:#|\/\/) .*$/gm, '')),
    ),
    output: [blocks(page, 'text').length, blocks(page, '').length],
    tableRows: [...text.matchAll(/^\|/gm)].length,
    errorCodes: [...new Set(text.match(/KUN_[A-Z_]+/g) ?? [])].sort(),
  }
}

/** Characters between the links to the other language and the first mark of a page. */
function proseLength(page: string): number {
  return textOf(page).split('<!--')[0]?.split('\n').slice(3).join('').length ?? 0
}

/** Paths in prose, code spans and code blocks; a compiled file stands for its source. */
function pathsIn(text: string): string[] {
  const found = text.matchAll(/(?<![\w./-])(?:dist\/)?((?:lib|test|docs|bench|bin|recipes|scripts)\/[\w.{},/-]*[\w}])/g)
  return [...found]
    .flatMap(([whole, path = '']) => expanded(whole.startsWith('dist/') ? path.replace(/\.js$/, '.ts') : path))
    .filter((path) => !/(?:^|\/)your-/.test(path))
}

/** The paths that `{a,b}` in a path stands for. */
function expanded(path: string): string[] {
  const [, before = '', names, after = ''] = /^(.*?)\{([^}]*)\}(.*)$/.exec(path) ?? []
  return names === undefined ? [path] : names.split(',').flatMap((name) => expanded(before + name + after))
}

/** The pieces in place of, or, where both are maps, over those of the base. */
function withPieces(base: Record<string, unknown>, pieces: Record<string, unknown>): Record<string, unknown> {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const merged = { ...base }
  for (const [key, piece] of Object.entries(pieces)) {
    const there = merged[key]
    // The models of a piece are those of the demo under another name.
    if (key === 'model') continue
    merged[key] = isMap(there) && isMap(piece) ? withPieces(there, piece) : piece
  }
  return merged
}
