/** Text of the way of a record through every stage, for `preview` and `explain`. */

import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import type { TracedRequest } from '../../run/trace/model.js'
import type { RecordTrace, TracedChunk, TracedStage } from '../../run/trace/trace.js'
import { pc } from './colors.js'
import { textWidth } from './text-width.js'
import { printable, wrapText } from './wrap-text.js'

interface TraceTextOptions {
  /** Width in cells. */
  readonly columns: number
  /** Replies are made up: nothing was sent. */
  readonly isPreview: boolean
  readonly full: boolean
}

/** Lines shown of a text without --full; a preview is about the prompts. */
const textLinesMax = 12
const previewLinesMax = 60

export function traceText(trace: RecordTrace, options: TraceTextOptions): string {
  const { split, shard, offset, source, chunks, rejects } = trace
  const lines = [
    heading(say`record ${shard}:${offset} of split ${split}`, options.columns),
    ...indented(source, options),
  ]
  const cut = cutLines(trace)
  if (cut.length > 0) {
    lines.push('', heading(say`cut by the cleaning: ${count(cut.length, 'line')}`, options.columns))
    lines.push(...indented(cut.join('\n'), options))
  }
  for (const { stage, reason, detail, chunk } of rejects) {
    const what =
      chunk === null
        ? say`the record was rejected: ${stage}/${reason}`
        : say`chunk ${chunk} was rejected: ${stage}/${reason}`
    lines.push('', pc.yellow(what), ...indented(detail, options))
  }
  for (const chunk of chunks) lines.push('', ...chunkLines(chunk, options))
  return lines.join('\n')
}

function chunkLines(
  { id, chunk, tokens, title, heading: above, text, stages }: TracedChunk,
  options: TraceTextOptions,
): string[] {
  const about = [title, above].filter((each) => each !== '').join(' · ')
  return [
    heading(say`chunk ${chunk}, ${count(tokens, 'token')}, id ${id}`, options.columns),
    ...(about === '' ? [] : [pc.dim(`  ${printable(about)}`)]),
    ...indented(text, options),
    ...stages.flatMap((stage) => ['', ...stageLines(stage, options)]),
  ]
}

function stageLines(stage: TracedStage, options: TraceTextOptions): string[] {
  const { requests, outcome, reason, detail, instruction, output, columns, id } = stage
  const lines = [pc.bold(`── ${stage.stage} `) + pc.dim(id)]
  for (const request of requests) lines.push(...requestLines(request, options))
  if (requests.length === 0) lines.push(pc.dim(say`  no request: the stage decides without a model`))
  if (options.isPreview) return lines
  if (outcome === 'not-requested')
    return [
      ...lines,
      pc.yellow(say`  the run has no reply to it: it was not requested yet, or its replies are not kept`),
    ]
  if (outcome === 'dropped') return [...lines, pc.yellow(say`  dropped as ${reason}`), ...indented(detail, options)]
  const cells = Object.entries(columns).filter(([, value]) => value !== null)
  lines.push(pc.green(say`  kept`) + pc.dim(cells.map(([name, value]) => `  ${name} ${String(value)}`).join('')))
  if (instruction !== '') lines.push(pc.cyan(say`  instruction`), ...indented(instruction, options))
  if (output !== null) lines.push(pc.cyan(say`  output`), ...indented(output, options))
  return lines
}

function requestLines({ attempt, body, reply, fault }: TracedRequest, options: TraceTextOptions): string[] {
  const { messages, prompt, ...fields } = body
  const lines = [pc.cyan(attempt === 0 ? say`  request` : say`  request, attempt ${attempt + 1}`)]
  for (const { role, content } of (messages ?? []) as { role: string; content: string }[]) {
    lines.push(pc.dim(`  [${role}]`), ...indented(content, options))
  }
  if (typeof prompt === 'string') lines.push(...indented(prompt, options))
  lines.push(...indented(JSON.stringify(fields), options).map((line) => pc.dim(line)))
  if (options.isPreview) return lines
  if (reply !== null) {
    lines.push(pc.cyan(say`  reply, ${count(reply.completionTokens, 'token')}, ended by ${reply.finishReason}`))
    lines.push(...indented(reply.text === '' ? '∅' : reply.text, options))
    const top = Object.entries(reply.firstTokenLogprobs ?? {}).slice(0, 4)
    if (top.length > 0)
      lines.push(pc.dim(`    ${top.map(([token, value]) => `${token} ${value?.toFixed(3) ?? '–'}`).join('  ')}`))
  }
  if (fault !== null)
    lines.push(pc.yellow(say`  not used: ${fault.reason}`) + (fault.found === '' ? '' : ` (${printable(fault.found)})`))
  return lines
}

/** Lines of the source that no chunk has: what the cleaning removed or changed. */
function cutLines({ source, chunks, rejects }: RecordTrace): string[] {
  if (chunks.length === 0 || rejects.some(({ chunk }) => chunk !== null)) return []
  const kept = formOf(chunks.map(({ title, heading: above, text }) => title + above + text).join(''))
  return linesOf(source).filter((line) => formOf(line) !== '' && !kept.includes(formOf(line)))
}

/** The longest text of the record: most likely the one that was read. */
function linesOf(source: string): string[] {
  const strings = stringsOf(parsed(source))
  return strings.reduce((longest, each) => (each.length > longest.length ? each : longest), '').split('\n')
}

/** Returns the text itself if it is not JSON. */
function parsed(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch {
    return source
  }
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}

function formOf(text: string): string {
  return text.normalize('NFKC').replace(/[^\p{L}\p{N}]/gu, '')
}

function heading(text: string, columns: number): string {
  const head = `══ ${text} `
  return pc.bold(head + '═'.repeat(Math.max(0, columns - textWidth(head))))
}

function indented(text: string, { columns, full, isPreview }: TraceTextOptions): string[] {
  if (text === '') return []
  const lines = wrapText(printable(text), columns - 4)
  const shown = full ? lines : lines.slice(0, isPreview ? previewLinesMax : textLinesMax)
  if (shown.length < lines.length)
    shown.push(say`… ${count(lines.length - shown.length, 'line')} more; --full shows them`)
  return shown.map((line) => `    ${line}`)
}
