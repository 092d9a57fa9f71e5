/**
 * Requests a faulty reply once more with the fault named in the prompt. The same seed and words would often give the same
 * fault again.
 */

import type { CompletionRequest, Fault } from '../../llm/types.js'
import type { RejectReasonName } from '../../reject-reasons.js'

/**
 * Returns the `retry` of a call: after a fault of the content, the request with a note, once; then null. Other faults
 * repeat the last request. A completion keeps its format, which has no place for a note: it is repeated too.
 */
export function retryWithReason(request: CompletionRequest) {
  return (fault: Fault, last: CompletionRequest): CompletionRequest | null => {
    if (typeof fault === 'string' || !('reason' in fault) || request.kind !== 'chat') return last
    return last === request ? withNote(request, fault.reason) : null
  }
}

/** Appends the note to the last message, so that requests still share the prefix before it. */
function withNote(request: CompletionRequest, reason: string): CompletionRequest {
  const messages = request.messages ?? []
  const note = notes[reason as RejectReasonName] ?? anyNote
  return {
    ...request,
    messages: messages.map((message, index) =>
      index === messages.length - 1 ? { ...message, content: `${message.content}\n\n${note}` } : message,
    ),
  }
}

const anyNote = '注意：上一次写得不合要求。请重新写一遍，只写要求的内容。'

/** Fixed texts: words of the faulty reply could carry its fault into the next one. */
const notes: Partial<Record<RejectReasonName, string>> = {
  'instruction-too-short': '注意：上一次写得太短。请写出一条完整、具体的指令。',
  'instruction-too-long': '注意：上一次写得太长。请只写一条指令，一到三句话。',
  'instruction-markers': '注意：上一次重复了题目里的标记。请只写指令本身。',
  'instruction-not-chinese': '注意：上一次没有用中文。请用中文写出指令。',
  'instruction-personal': '注意：上一次写进了电话、邮箱、证件号之类的个人信息。请重新写一条指令，不要带这些内容。',
  'output-too-short': '注意：上一次的回答太短。请写出完整的回答。',
  'output-repeats': '注意：上一次的回答反复重复。请重新回答，每个意思只说一遍。',
  'output-markers': '注意：上一次重复了题目里的标记。请只写回答本身。',
  'output-personal': '注意：上一次写进了电话、邮箱、证件号之类的个人信息。请重新回答，不要带这些内容。',
  'output-not-chinese': '注意：上一次没有用中文。请用中文回答。',
}
