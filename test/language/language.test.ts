import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import ts from 'typescript'
import { registerCommands } from '../../lib/cli/command-loaders.js'
import { helpTexts } from '../../lib/cli/translated-help.js'
import { count, nouns } from '../../lib/language/count.js'
import { languageOf } from '../../lib/language/language.js'
import { say, translated } from '../../lib/language/say.js'
import { fillTemplate, templateKey, templateParts } from '../../lib/language/template.js'
import { zh, zhParts } from '../../lib/language/zh/index.js'
import { projectRoot } from '../support/root.js'

t.test('the language is that of --lang, then of KUN_STREAM_LANG, then of the locale', async (t) => {
  t.equal(languageOf([], {}), 'en')
  t.equal(languageOf([], { LANG: 'zh_CN.UTF-8' }), 'zh')
  t.equal(languageOf([], { LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }), 'en', 'LC_ALL counts before LANG')
  t.equal(languageOf([], { LANG: 'C', LC_MESSAGES: 'zh_TW' }), 'zh')
  t.equal(languageOf([], { LANG: 'zh_CN', KUN_STREAM_LANG: 'en' }), 'en')
  t.equal(languageOf(['run', '--lang', 'zh', 'a.yaml'], { LANG: 'C' }), 'zh')
  t.equal(languageOf(['run', '--lang=en'], { LANG: 'zh_CN' }), 'en')
  t.equal(languageOf(['run', '--lang'], { LANG: 'fr_FR' }), 'en')
  t.equal(languageOf(['run', '--', '--lang', 'zh'], {}), 'en', 'after -- come files')
})

t.test('a template is translated by its English text, and values may change their order', async (t) => {
  const catalogue = { '{0} of {1}': '{1} 中的 {0}' }
  t.equal(fillTemplate(catalogue, ['', ' of ', ''], ['a $& b', 3]), '3 中的 a $& b')
  t.equal(fillTemplate(catalogue, ['no ', ''], ['x']), 'no x', 'a text without translation stays English')
  t.equal(say`no file matches ${'a'}`, 'no file matches a', 'the library speaks English by default')
  t.equal(
    say`one sentence
      on two lines: ${'`'}\nand a line of its own`,
    'one sentence on two lines: `\nand a line of its own',
  )
  t.equal(count(1, 'row'), '1 row')
  t.equal(count(12_000, 'reply'), '12,000 replies')
  t.equal(translated('x'), 'x')
})

/** Keys of say`…` and translated('…') in lib, bin and web, with the file of each. */
function keysInUse(): Map<string, string> {
  const keys = new Map<string, string>()
  const files = ['lib', 'bin', 'web'].flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  for (const file of files.filter((name) => /\.tsx?$/.test(name) && !name.includes('/assembly/'))) {
    const text = readFileSync(join(projectRoot, file), 'utf8')
    if (!/\b(say|translated)\b/.test(text)) continue
    const visit = (node: ts.Node): void => {
      if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'say') keys.set(keyOf(node.template), file)
      if (ts.isCallExpression(node) && node.expression.getText() === 'translated') {
        const [argument] = node.arguments
        if (argument !== undefined && ts.isStringLiteralLike(argument)) keys.set(argument.text, file)
      }
      if (ts.isCallExpression(node) && node.expression.getText() === 'countText') {
        const [one, many] = node.arguments
          .slice(1)
          .map((argument) => (ts.isStringLiteralLike(argument) ? argument.text : null))
        for (const noun of one ? [one, many ?? `${one}s`] : []) keys.set(`{0} ${noun}`, file)
      }
      ts.forEachChild(node, visit)
    }
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  }
  return keys
}

function keyOf(template: ts.TemplateLiteral): string {
  const literals = ts.isNoSubstitutionTemplateLiteral(template)
    ? [template]
    : [template.head, ...template.templateSpans.map((span) => span.literal)]
  const raw = literals.map((literal) => literal.rawText ?? literal.getText().replace(/^[`}]|(`|\$\{)$/g, ''))
  return templateKey(
    templateParts(
      Object.assign(
        literals.map(({ text }) => text),
        { raw },
      ),
    ),
  )
}

const placeholders = (text: string): string[] => [...text.matchAll(/\{\d+\}/g)].map(([match]) => match).sort()

t.test('every message has its Chinese text, with the same values', async (t) => {
  const keys = keysInUse()
  t.ok(keys.size > 3, `${keys.size} keys`)
  t.strictSame(
    [...keys].filter(([key]) => !Object.hasOwn(zh, key)).map(([key, file]) => `${file}: ${key}`),
    [],
    'add the Chinese text to lib/language/zh/',
  )
  const texts = Object.entries(zh)
  const values = (text: string): string => [...new Set(placeholders(text))].join()
  t.strictSame(
    texts.filter(([key, text]) => values(key) !== values(text)),
    [],
    'both have the same values',
  )
  t.strictSame(
    texts.filter(
      ([key, text]) => /[a-z]{2} [a-z]{3}/.test(key.replace(/\{\d+\}|--/g, '')) && !/\p{Script=Han}/u.test(text),
    ),
    [],
    'a translation has Chinese characters',
  )
  for (const noun of Object.entries(nouns).flat()) t.ok(Object.hasOwn(zh, `{0} ${noun}`), noun)
})

t.test('every description of a command, an argument and an option has its Chinese text', async (t) => {
  const program = new Command('kun-stream')
  await registerCommands(program)
  const texts = new Set(program.commands.flatMap(helpTexts))
  t.ok(texts.size > 50, `${texts.size} texts`)
  t.strictSame(
    [...texts].filter((text) => !Object.hasOwn(zh, text)),
    [],
    'add the Chinese text to lib/language/zh/help.ts or to the file of the command',
  )
})

t.test('two files of the catalogue with the same key have the same text', async (t) => {
  const texts = new Map<string, string>()
  const others: string[] = []
  for (const [part, catalogue] of Object.entries(zhParts)) {
    for (const [key, text] of Object.entries(catalogue)) {
      const before = texts.get(key)
      if (before !== undefined && before !== text) others.push(`${part}: ${key} is ${text} and ${before}`)
      texts.set(key, text)
    }
  }
  t.ok(texts.size > 0, `${texts.size} keys`)
  t.strictSame(others, [], 'a key with two meanings needs a sentence of its own for each')
})

t.test('the help of the command is in the language of the locale', async (t) => {
  const bin = join(projectRoot, 'dist/bin/kun-stream.js')
  const help = (env: Record<string, string>, ...options: string[]): string =>
    spawnSync(process.execPath, [bin, '--help', ...options], { encoding: 'utf8', env: { ...process.env, ...env } })
      .stdout
  t.match(help({ LC_ALL: 'zh_CN.UTF-8' }), '退出码')
  t.match(help({ LC_ALL: 'C' }, '--lang', 'zh'), '退出码')
  t.match(help({ LC_ALL: 'C' }), 'Exit codes')
})
