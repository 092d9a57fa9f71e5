/** Proposes the fields of text, id and title from the first records of a corpus. Pure. */
import { fieldNames, fieldOf, textOf } from '../text/field-path.js'

type Records = readonly Readonly<Record<string, unknown>>[]

/** A field that may be the text. */
interface TextField {
  readonly name: string
  /** Records in which it is a text. */
  readonly records: number
  /** Mean number of characters there, and of Chinese characters. */
  readonly chars: number
  readonly han: number
}

/** Proposed fields; null where no field fits. */
export interface FieldProposal {
  /** Candidates for the text, the best first. */
  readonly texts: readonly TextField[]
  readonly id: string | null
  readonly title: string | null
}

/** Fields that are looked at: a record may have thousands. */
const fieldsMax = 500
/** Share of the records that must have an id. */
const idShareMin = 1
/** Characters of a title. */
const titleCharsMax = 120

const idName = /^(?:.*[._-])?(?:id|uid|uuid|guid|key|docid|unique_?key|编号)$|[a-z](?:Id|ID|Key)$|_id$/i
const titleName = /^(?:.*[._-])?(?:title|headline|subject|标题|题目)$/i
const han = /\p{Script=Han}/gu

export function proposeFields(records: Records): FieldProposal {
  const names = [...new Set(records.flatMap((record) => fieldNames(record)))].slice(0, fieldsMax)
  const texts = names
    .map((name) => textField(name, records))
    .filter(({ records: found }) => found > 0)
    .sort((a, b) => b.han * b.records - a.han * a.records || b.chars * b.records - a.chars * a.records)
  const text = texts[0]?.name
  const rest = names.filter((name) => name !== text)
  return {
    texts,
    id: rest.find((name) => isId(name, records)) ?? null,
    title: rest.find((name) => isTitle(name, records)) ?? null,
  }
}

function textField(name: string, records: Records): TextField {
  const found = records.map((record) => textOf(fieldOf(record, name))).filter((text) => text.trim() !== '')
  const sum = (of: (text: string) => number) => found.reduce((total, text) => total + of(text), 0)
  const mean = (total: number) => (found.length === 0 ? 0 : total / found.length)
  return {
    name,
    records: found.length,
    chars: mean(sum((text) => text.length)),
    han: mean(sum((text) => text.match(han)?.length ?? 0)),
  }
}

/** An id has a telling name, and another value in each record. */
function isId(name: string, records: Records): boolean {
  if (!idName.test(name) || records.length === 0) return false
  const values = records.map((record) => fieldOf(record, name)).filter((value) => isKey(value))
  return values.length >= idShareMin * records.length && new Set(values.map(String)).size === values.length
}

function isKey(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && value.length <= 200)
}

function isTitle(name: string, records: Records): boolean {
  if (!titleName.test(name)) return false
  const { records: found, chars } = textField(name, records)
  return found > 0 && chars <= titleCharsMax
}
