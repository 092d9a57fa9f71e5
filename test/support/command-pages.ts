/**
 * The generated parts of docs/commands: the call of a command with its arguments and options, from the same declarations as
 * `--help`, and the list of commands of the index. Everything outside of the marks is written by hand.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Argument, Command, type Option } from 'commander'
import { registerCommands } from '../../lib/cli/command-loaders.js'
import { type CommandName, commandSummaries } from '../../lib/cli/command-summaries.js'
import { zh } from '../../lib/language/zh/index.js'
import { projectRoot } from './root.js'

export type PageLanguage = 'en' | 'zh'

export const pageLanguages: readonly PageLanguage[] = ['en', 'zh']
export const commandNames = Object.keys(commandSummaries) as CommandName[]
/** The command that writes the generated parts; the tests name it. */
export const writerCommand = 'npm run build && node scripts/command-pages.mjs'

const start = '<!-- generated: start, by scripts/command-pages.mjs -->'
const end = '<!-- generated: end -->'

interface Words {
  readonly call: string
  readonly argument: string
  readonly option: string
  readonly meaning: string
  readonly choices: string
  readonly default: string
  readonly open: string
  readonly between: string
  readonly close: string
  readonly command: string
  readonly skeleton: readonly string[]
}

const english: Words = {
  call: 'Call',
  argument: 'argument',
  option: 'option',
  meaning: 'meaning',
  choices: 'one of',
  default: 'default',
  open: ' (',
  between: '; ',
  close: ')',
  command: 'command',
  skeleton: ['Examples', 'Exit codes', 'See also'],
}

const chinese: Words = {
  call: '用法',
  argument: '参数',
  option: '选项',
  meaning: '含义',
  choices: '可选值',
  default: '默认',
  open: '（',
  between: '；',
  close: '）',
  command: '命令',
  skeleton: ['示例', '退出码', '另请参阅'],
}

const wordsOf = (language: PageLanguage): Words => (language === 'en' ? english : chinese)

/** Path of a page from the root of the repository; of the index without a name. */
export function pagePath(language: PageLanguage, name: CommandName | 'README' = 'README'): string {
  return `docs/commands/${name}${language === 'zh' ? '.zh' : ''}.md`
}

/** The text of a page with its generated part as it should be; a page that is missing begins as its headings. */
export async function pageText(language: PageLanguage, name?: CommandName): Promise<string> {
  const path = join(projectRoot, pagePath(language, name))
  const text = existsSync(path) ? readFileSync(path, 'utf8') : skeleton(language, name)
  const [before = '', rest = ''] = text.split(start)
  const after = rest.split(end)[1] ?? ''
  const made = name === undefined ? indexPart(language) : await callPart(language, name)
  return `${before}${start}\n\n${made}\n\n${end}${after}`
}

/** Writes the generated parts of all pages. @returns the paths of the pages that were missing */
export async function writePages(): Promise<string[]> {
  const missing: string[] = []
  for (const language of pageLanguages)
    for (const name of [undefined, ...commandNames]) {
      const path = pagePath(language, name)
      const text = await pageText(language, name)
      if (!existsSync(join(projectRoot, path))) missing.push(path)
      mkdirSync(dirname(join(projectRoot, path)), { recursive: true })
      writeFileSync(join(projectRoot, path), text)
    }
  return missing
}

function skeleton(language: PageLanguage, name: CommandName | undefined): string {
  const other = language === 'en' ? `[中文](${name ?? 'README'}.zh.md)` : `[English](${name ?? 'README'}.md)`
  const headings = name === undefined ? [] : wordsOf(language).skeleton
  return [`# ${name ?? wordsOf(language).command}`, other, start, end, ...headings.map((each) => `## ${each}`), '']
    .join('\n\n')
    .replace(/\n\n$/, '\n')
}

function indexPart(language: PageLanguage): string {
  const words = wordsOf(language)
  const rows = commandNames.map((name) => {
    const page = pagePath(language, name).replace('docs/commands/', '')
    return `| [${name}](${page}) | ${cell(translatedTo(language, commandSummaries[name].description))} |`
  })
  return [`| ${words.command} | ${words.meaning} |`, '|---|---|', ...rows].join('\n')
}

async function callPart(language: PageLanguage, name: CommandName): Promise<string> {
  const program = new Command('kun-stream')
  await registerCommands(program)
  const command = program.commands.find((each) => each.name() === name)
  if (command === undefined) throw new Error(`${name} is not registered`)
  return [`## ${wordsOf(language).call}`, ...callOf(language, command, `kun-stream ${name}`)].join('\n\n')
}

function callOf(language: PageLanguage, command: Command, call: string): string[] {
  const words = wordsOf(language)
  const subcommands = command.commands.flatMap((each) => [
    `### ${call.replace('kun-stream ', '')} ${each.name()}`,
    cell(translatedTo(language, each.description())),
    ...callOf(language, each, `${call} ${each.name()}`),
  ])
  return [
    `\`\`\`text\n${`${call} ${command.usage()}`.trim()}\n\`\`\``,
    table(
      words.argument,
      words.meaning,
      command.registeredArguments.map((each) => [each.name(), meaningOf(language, each)]),
    ),
    table(
      words.option,
      words.meaning,
      command.options.map((each) => [each.flags, meaningOf(language, each)]),
    ),
    ...subcommands,
  ].filter((part) => part !== '')
}

function table(first: string, second: string, rows: readonly (readonly [string, string])[]): string {
  // An argument without a description, of `complete`, is explained in the prose.
  const shown = rows.filter(([, meaning]) => meaning !== '')
  if (shown.length === 0) return ''
  const lines = shown.map(([name, meaning]) => `| \`${barsEscaped(name)}\` | ${cell(meaning)} |`)
  return [`| ${first} | ${second} |`, '|---|---|', ...lines].join('\n')
}

function meaningOf(language: PageLanguage, part: Argument | Option): string {
  const words = wordsOf(language)
  const notes: string[] = []
  if (part.argChoices !== undefined) notes.push(`${words.choices} ${part.argChoices.map(code).join(' ')}`)
  const value = part.defaultValueDescription ?? defaultText(part.defaultValue)
  if (value !== '' && value !== 'none') notes.push(`${words.default} ${code(value)}`)
  const description = translatedTo(language, part.description)
  return notes.length === 0 ? description : `${description}${words.open}${notes.join(words.between)}${words.close}`
}

function defaultText(value: unknown): string {
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return ''
  return String(value)
}

const code = (text: string): string => `\`${text}\``

/** A bar would end the cell, also in a code span. */
const barsEscaped = (text: string): string => text.replaceAll('|', '\\|')

/** A bracket would begin a tag. */
const cell = (text: string): string => barsEscaped(text).replaceAll('<', '&lt;')

function translatedTo(language: PageLanguage, text: string): string {
  return language === 'en' ? text : ((zh as Readonly<Record<string, string>>)[text] ?? text)
}
