/** The languages of messages, and which of them a process uses. */

export const languages = ['en', 'zh'] as const
type Language = (typeof languages)[number]

/** The environment variable that threads and child processes inherit. */
export const languageVariable = 'KUN_STREAM_LANG'

/**
 * Returns the language of this process: the value of KUN_STREAM_LANG, English by default. A program that uses the library
 * therefore gets English unless it asks for another language; the command sets the variable before it loads anything else.
 */
export function processLanguage(): Language {
  return knownLanguage(process.env[languageVariable]) ?? 'en'
}

/**
 * Returns the language of a command: `--lang`, then KUN_STREAM_LANG, then the locale (LC_ALL, LC_MESSAGES, LANG, in the order
 * of POSIX: the first that is set counts). English if none of them names a known language.
 */
export function languageOf(argv: readonly string[], env: NodeJS.ProcessEnv): Language {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG
  return knownLanguage(optionValue(argv)) ?? knownLanguage(env[languageVariable]) ?? knownLanguage(locale) ?? 'en'
}

/** Reads `zh`, `zh_CN.UTF-8` and `zh-Hans` as Chinese. */
function knownLanguage(text: string | undefined): Language | null {
  const code = text?.split(/[_.@-]/, 1)[0]?.toLowerCase()
  return languages.find((language) => language === code) ?? null
}

function optionValue(argv: readonly string[]): string | undefined {
  const end = argv.indexOf('--')
  const options = end === -1 ? argv : argv.slice(0, end)
  const joined = options.find((argument) => argument.startsWith('--lang='))
  return joined?.slice('--lang='.length) ?? options[options.indexOf('--lang') + 1 || options.length]
}
