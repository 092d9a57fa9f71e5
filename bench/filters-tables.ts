/** Tables and figures of `bench filters`. */
import type { DocumentOutcome } from './filters-documents.js'
import type { InstructionExample, ReplyExample } from './filters-examples.js'
import type { JudgedReply, Judgement } from './filters-judgement.js'
import type { StageOutcome } from './filters-replies.js'
import type { BenchAim, BenchRow, BenchTable } from './types.js'

interface Measured {
  readonly tables: readonly BenchTable[]
  readonly aims: readonly BenchAim[]
}

/** Precision and recall of dropping: in all, by kind and by reason; then the wrong ones. */
export function documentTables(outcomes: readonly DocumentOutcome[]): Measured {
  const all = dropping('all', outcomes)
  const reasons = groups(
    outcomes.filter(({ dropped }) => dropped !== null),
    ({ dropped }) => dropped as string,
  )
  const byReason = reasons.map(([reason, group]) => {
    const rightly = group.filter(({ example }) => example.label === 'drop').length
    return {
      reason,
      dropped: group.length,
      rightly,
      wrongly: group.length - rightly,
      recall: share(rightly, all.drop),
      precision: rightly / group.length,
    }
  })
  const missed = outcomes.filter(({ example, dropped }) => example.label === 'drop' && dropped === null)
  const wrongly = outcomes.filter(({ example, dropped }) => example.label === 'keep' && dropped !== null)
  const damaged = outcomes.filter(({ lost, left }) => lost.length + left.length > 0)
  const cut = outcomes.filter(isCut)
  return {
    tables: [
      { title: 'Documents: dropping, by kind', rows: withKinds(outcomes, all, dropping) },
      { title: 'Documents: by reason', rows: byReason },
      { title: 'Documents that are kept and should not be', rows: missed.map(documentRow) },
      { title: 'Documents that are dropped and should not be', rows: wrongly.map(documentRow) },
      { title: 'Documents whose text is cut wrongly', rows: damaged.map(damageRow) },
      { title: 'Documents to keep that lose over a tenth of their text', rows: cut.map(damageRow) },
    ],
    aims: [
      atLeast('documents: recall of dropping', all.recall, 0.85),
      atLeast('documents: precision of dropping', all.precision, 0.95),
    ].flat(),
  }
}

/** A document to keep without furniture to be cut, of which much is gone. */
function isCut({ example, dropped, keptShare }: DocumentOutcome): boolean {
  return example.label === 'keep' && example.lacks.length === 0 && dropped === null && keptShare < 0.9
}

function dropping(kind: string, outcomes: readonly DocumentOutcome[]) {
  const drop = outcomes.filter(({ example }) => example.label === 'drop').length
  const dropped = outcomes.filter((outcome) => outcome.dropped !== null)
  const rightly = dropped.filter(({ example }) => example.label === 'drop').length
  return {
    kind,
    documents: outcomes.length,
    drop,
    dropped: dropped.length,
    rightly,
    wrongly: dropped.length - rightly,
    recall: share(rightly, drop),
    precision: share(rightly, dropped.length),
  }
}

function documentRow({ example: { id, kind, text }, dropped, detail }: DocumentOutcome): BenchRow {
  return { id, chars: text.length, kind, reason: dropped ?? '', detail: start(detail, 40), text: start(text) }
}

function damageRow({ example, keptShare, lost, left }: DocumentOutcome): BenchRow {
  const { id, kind, text } = example
  return {
    id,
    chars: text.length,
    kind,
    keptShare,
    lost: start(lost.join(' · ')),
    left: start(left.join(' · ')),
    text: start(text),
  }
}

const stageNames = { label: 'Label replies', polish: 'Polish replies', score: 'Verdicts' } as const

/** Right and wrong replies of a stage, in all and by kind; then the wrong ones and those that are not counted. */
export function replyTables(of: ReplyExample['of'], judged: readonly JudgedReply[]): Measured {
  const name = stageNames[of]
  const counted = judged.filter(({ example }) => example.expected.counted)
  const open = judged.filter(({ example }) => !example.expected.counted)
  const all = judgements('all', counted)
  const wrong = counted.filter(({ judgement }) => judgement !== 'right')
  const what = `${name.toLowerCase()}: share that is right`
  return {
    tables: [
      { title: name, rows: withKinds(counted, all, judgements) },
      { title: `${name} that are wrong`, rows: wrong.map(replyRow) },
      { title: `${name} that are not counted`, rows: open.map(replyRow) },
    ],
    aims: atLeast(what, share(all.right, all.replies), 0.92),
  }
}

function judgements(kind: string, judged: readonly JudgedReply[]) {
  const count = (...wanted: Judgement[]) => judged.filter(({ judgement }) => wanted.includes(judgement)).length
  return {
    kind,
    replies: judged.length,
    right: count('right'),
    wrongRows: count('wrong row'),
    rowsWithJunk: count('junk'),
    goodDropped: count('dropped'),
    wrongScoreOrReason: count('reason', 'score'),
  }
}

function replyRow({ example: { id, kind, reply }, outcome, judgement }: JudgedReply): BenchRow {
  const became =
    outcome.dropped === null ? start(outcome.rows.join(' · ')) : `${outcome.dropped}: ${start(outcome.detail, 40)}`
  return { id, chars: reply.text.length, kind, judgement, became, reply: start(reply.text) }
}

export interface JudgedInstruction {
  readonly example: InstructionExample
  readonly outcome: StageOutcome
  /** Whether the stage keeps the instruction as it is. An altered one is neither dropped nor kept. */
  readonly fate: 'kept' | 'altered' | 'dropped'
}

/** Share of the good ones that is dropped, and of the bad ones that is dropped or repaired; then the wrong ones. */
export function instructionTables(judged: readonly JudgedInstruction[]): Measured {
  const all = fates('all', judged)
  const wrong = judged.filter(({ example, fate }) => (example.label === 'good') !== (fate === 'kept'))
  return {
    tables: [
      { title: 'Instructions', rows: withKinds(judged, all, fates) },
      { title: 'Instructions that are judged wrongly', rows: wrong.map(instructionRow) },
    ],
    aims: [
      atMost('instructions: share of good ones dropped', all.goodShare, 0.02),
      atLeast('instructions: share of bad ones caught', all.badShare, 0.8),
    ].flat(),
  }
}

function fates(kind: string, judged: readonly JudgedInstruction[]) {
  const good = judged.filter(({ example }) => example.label === 'good')
  const bad = judged.filter(({ example }) => example.label === 'bad')
  const count = (of: readonly JudgedInstruction[], fate: JudgedInstruction['fate']) =>
    of.filter((each) => each.fate === fate).length
  const [goodDropped, badDropped, badAltered] = [count(good, 'dropped'), count(bad, 'dropped'), count(bad, 'altered')]
  return {
    kind,
    good: good.length,
    goodDropped,
    goodAltered: count(good, 'altered'),
    goodShare: share(goodDropped, good.length),
    bad: bad.length,
    badDropped,
    badAltered,
    badShare: share(badDropped + badAltered, bad.length),
  }
}

function instructionRow({ example: { id, kind, label, instruction }, outcome, fate }: JudgedInstruction): BenchRow {
  const became = fate === 'altered' ? start(outcome.rows.join(' · ')) : (outcome.dropped ?? '')
  return { id, chars: instruction.length, kind, label, fate, became, instruction: start(instruction) }
}

/** No aim without examples. */
function atLeast(what: string, figure: number | null, bound: number): BenchAim[] {
  return figure === null ? [] : [{ what, figure, aim: `at least ${bound}`, met: figure >= bound }]
}

function atMost(what: string, figure: number | null, bound: number): BenchAim[] {
  return figure === null ? [] : [{ what, figure, aim: `at most ${bound}`, met: figure <= bound }]
}

/** Null, an empty cell, without examples. */
function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

/** The row of all, and one for each kind with several examples: the others are in the lists of wrong ones. */
function withKinds<T extends { readonly example: { readonly kind: string } }>(
  items: readonly T[],
  all: BenchRow,
  row: (kind: string, items: readonly T[]) => BenchRow,
): BenchRow[] {
  if (items.length === 0) return []
  const kinds = groups(items, ({ example }) => example.kind).filter(([kind, group]) => kind !== '' && group.length > 1)
  return [all, ...kinds.map(([kind, group]) => row(kind, group))]
}

function groups<T>(items: readonly T[], nameOf: (item: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>()
  for (const item of items) {
    const name = nameOf(item)
    const group = found.get(name)
    if (group === undefined) found.set(name, [item])
    else group.push(item)
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The first characters on one line. */
function start(text: string, charsMax = 60): string {
  return [...text.replace(/\s+/g, ' ')].slice(0, charsMax).join('').toWellFormed()
}
