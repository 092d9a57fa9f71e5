/**
 * Finds a mapped field in a record: by its exact name first, else by the path that its dots separate. Example: `data.content`
 * finds {"data.content": …}, then {"data": {"content": …}}; in a list, the rest of the path is followed in each element.
 */
import { isRecord } from '../core/objects.js'

/** Names in a message, and characters of a name. */
const namesMax = 16
const nameCharsMax = 40
/** Levels of objects and lists that a path enters. */
const depthMax = 32
/** Joins the texts of a list. */
const listSeparator = '\n'

type Fields = Readonly<Record<string, unknown>>

/** Returns the value of a field; undefined if the record has none. A path through lists gives a list. */
export function fieldOf(record: Fields, name: string): unknown {
  if (Object.hasOwn(record, name)) return record[name]
  return name.includes('.') ? valueAt(record, name.split('.'), 0) : undefined
}

function valueAt(value: unknown, path: readonly string[], depth: number): unknown {
  if (path.length === 0) return value
  if (depth > depthMax || typeof value !== 'object' || value === null) return undefined
  const [step = '', ...rest] = path
  if (Array.isArray(value)) {
    if (/^\d{1,9}$/.test(step)) return valueAt(value[Number(step)], rest, depth + 1)
    const found = value.map((each) => valueAt(each, path, depth + 1)).filter((each) => each !== undefined)
    return found.length === 0 ? undefined : found
  }
  return isRecord(value) && Object.hasOwn(value, step) ? valueAt(value[step], rest, depth + 1) : undefined
}

/**
 * Returns a string unchanged; joins a list of strings, or of objects with a string named `text`, by line ends. Null in
 * a list is skipped. '' for anything else: a list with a value that is not a text is not a text.
 */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  const texts: string[] = []
  for (const each of value) {
    const text = isRecord(each) ? each.text : each
    if (typeof text === 'string') texts.push(text)
    else if (Array.isArray(text)) texts.push(textOf(text))
    else if (each !== null) return ''
  }
  return texts.join(listSeparator)
}

/** Formats names for a message, as `"content", "data.title"`: escaped, at most `namesMax` of at most `nameCharsMax` characters. */
export function namesText(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const shown = names.slice(0, namesMax).map((name) => {
    const characters = Array.from(name.slice(0, nameCharsMax * 2))
    const cut = characters.length > nameCharsMax || name.length > nameCharsMax * 2
    return escaped(`${characters.slice(0, nameCharsMax).join('')}${cut ? '…' : ''}`)
  })
  return `${shown.join(', ')}${names.length > namesMax ? ` and ${names.length - namesMax} more` : ''}`
}

/** Returns the names of the fields of a record; those of nested objects as paths. */
export function fieldNames(record: Fields): string[] {
  return Object.entries(record).flatMap(([name, value]) => {
    if (!isRecord(value)) return [name]
    const inner = Object.keys(value)
    return inner.length === 0 ? [name] : inner.map((each) => `${name}.${each}`)
  })
}

/** As a JSON string of visible characters: control characters, marks of direction and lone surrogates are written as \uXXXX. */
function escaped(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
