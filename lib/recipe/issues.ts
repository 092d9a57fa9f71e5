/** Formats recipe validation issues: location, path, value found, allowed values, and the closest known name. */

import type { z } from 'zod'
import { isRecord } from '../core/objects.js'
import { listText } from '../language/list-text.js'
import { say, translated } from '../language/say.js'
import { translatedAllowed } from './allowed-words.js'
import { kindOf, type Path, pathText, type RecipeDocument } from './document.js'
import { nearest } from './nearest.js'
import { allowedText, schemaAt, shapeOf } from './schema-tree.js'

type Issue = z.core.$ZodIssue

/** Length limit of a found value in a message. */
const shownCharsMax = 60

/** Fields whose values are not shown. */
const secretNames = /^(?:apiKey|token|headers)$/

/** Returns one line per issue, in the order of the schema. */
export function issueLines(schema: z.ZodType, issues: readonly Issue[], { locate, value }: RecipeDocument): string[] {
  const lines = issues.flatMap((issue) => concrete(issue, valueAt(value, issue.path))).flatMap((issue) => lineOf(issue))
  return [...new Set(lines)]

  function lineOf(issue: Issue): string[] {
    if (issue.code !== 'unrecognized_keys') return [`${locate(issue.path)} ${problemOf(issue)}`]
    const names = Object.keys(shapeOf(schemaAt(schema, issue.path) ?? schema) ?? {})
    return issue.keys.map((key) => {
      const meant = nearest(key, names)
      const place = `${locate(issue.path, key)} ${pathText([...issue.path, key])}`
      return meant === null
        ? say`${place}: unknown key; allowed are ${listText(names)}`
        : say`${place}: unknown key; did you mean ${meant}?`
    })
  }

  function problemOf(issue: Issue): string {
    const path = pathText(issue.path) || say`the recipe`
    const found = valueAt(value, issue.path)
    if (issue.code === 'custom') return say`${path}: found ${shown(found, issue.path)}; ${translated(issue.message)}`
    const name = issue.path.findLast((key) => typeof key === 'string') as string | undefined
    const field = schemaAt(schema, issue.path)
    const what = field === null ? issue.message : translatedAllowed(allowedText(field, name))
    if (issue.code === 'invalid_key')
      return say`${path}: the name ${JSON.stringify(issue.path.at(-1))} is not allowed; ${reasonOf(issue)}`
    if (found === undefined) return say`${path}: missing; needed is ${what}`
    const meant = typeof found === 'string' && 'values' in issue ? nearest(found, issue.values.map(String)) : null
    const text = say`${path}: found ${shown(found, issue.path)}, allowed is ${what}`
    return meant === null ? text : say`${text}; did you mean ${meant}?`
  }
}

/** Replaces the issue of a union by the issues of its closest member: a map is compared with the member that is a map. */
function concrete(issue: Issue, found: unknown): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const members = issue.errors.filter((member) =>
    member.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  )
  const closest = members.toSorted((a, b) => a.length - b.length)[0]
  if (closest === undefined || !(isRecord(found) || Array.isArray(found))) return [issue]
  return closest.flatMap((inner) => {
    const path = [...issue.path, ...inner.path]
    return concrete({ ...inner, path } as Issue, inner.path.reduce<unknown>(below, found))
  })
}

function reasonOf(issue: Issue): string {
  const inner = 'issues' in issue ? (issue.issues as readonly Issue[])[0] : undefined
  return inner !== undefined && 'pattern' in inner ? say`allowed is a string like ${inner.pattern}` : issue.message
}

/** Truncated; user and password of a URL are masked. */
function shown(found: unknown, path: Path): string {
  if (path.some((key) => secretNames.test(String(key)))) return say`${kindOf(found)} (not shown)`
  const text = (JSON.stringify(found) ?? say`nothing`).replace(credentials, '***@')
  return text.length <= shownCharsMax ? text : `${text.slice(0, shownCharsMax)}…`
}

/** 'user:password@' at the start of a text or after '//'; a password may contain a slash. */
const credentials = /(?<=\/\/|")(?:(?!\/\/)[^":])*:(?:(?!\/\/)[^"])*@/g

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(below, value)
}

function below(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined
}
