/** The page of `review DIR`: one pair at a time, judged with single keys. */
import { useEffect, useRef } from 'preact/hooks'
import type { ReviewPair, Verdict } from '../../../lib/pages/view.js'
import { Empty, Header, Section } from '../components/frame.js'
import { ReviewFigures } from '../components/review-figures.js'
import { type Decision, decide, decisionAt, edit, move, reviewNow, undo, useReview } from '../review.js'
import { digits, percent, say } from '../say.js'

export function ReviewPage() {
  const { work, summary, at, decisions, editing, history, unsaved, problem } = useReview()
  const name = work?.name ?? 'kun-stream'
  const legend = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    document.title = say`${name} – review`
  }, [name])
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== '?' || isTyping(event)) onKey(event)
      else if (legend.current !== null) legend.current.open = !legend.current.open
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [])
  useEffect(() => {
    const section = document.getElementById('pair')
    if (section !== null && section.getBoundingClientRect().top < 0) section.scrollIntoView()
  }, [at])
  const pair = work?.pairs[at]
  const judged = work?.pairs.filter(({ id }) => decisions.has(id)).length ?? 0
  const all = work?.pairs.length ?? 0
  return (
    <>
      <Header
        title={name}
        sections={[
          { id: 'pair', title: say`Pair` },
          { id: 'agreement', title: say`Agreement` },
        ]}
        below={work === null ? '' : say`${work.reviewer} judges ${all} of ${digits(work.rows)} rows, seed ${work.seed}`}
      />
      <main>
        {problem !== '' && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <Section id="pair" title={say`Pair`}>
          {pair === undefined ? (
            <Empty>{say`Reading the run…`}</Empty>
          ) : (
            <>
              <p class="review-head" role="status">
                <span>{say`${at + 1} of ${all}`}</span>
                {pair.score !== null && (
                  <span class="review-score">{say`score ${Number(pair.score.toPrecision(4))}`}</span>
                )}
                <VerdictTag decision={decisionAt(at)} />
                <span>{unsaved > 0 ? say`saving…` : say`${judged} judged, all saved`}</span>
              </p>
              <div class="review-track" aria-hidden="true">
                <i style={{ width: percent(judged / all).replace(' ', '') }} />
              </div>
              {editing ? (
                <EditTexts key={pair.id} pair={pair} decision={decisionAt(at)} />
              ) : (
                <Texts pair={pair} at={at} />
              )}
              {!editing && <Keys at={at} all={all} canUndo={history.length > 0} />}
              <details ref={legend}>
                <summary>
                  {say`Keys`} <kbd>?</kbd>
                </summary>
                <Legend />
              </details>
            </>
          )}
        </Section>
        <Section
          id="agreement"
          title={say`Agreement`}
          note={say`All reviews of this reviewer in this run, also those of other samples. An edited pair is neither good nor bad.`}
        >
          {summary === null ? <Empty>{say`Reading the run…`}</Empty> : <ReviewFigures summary={summary} />}
        </Section>
      </main>
    </>
  )
}

function isTyping({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event)) return
  const { work, editing } = reviewNow()
  if (work === null || editing) return
  const actions: Readonly<Record<string, () => void>> = {
    g: () => decide({ verdict: 'good' }),
    b: () => decide({ verdict: 'bad' }),
    e: () => edit(true),
    u: undo,
    j: () => move(1),
    k: () => move(-1),
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  if (!Object.hasOwn(actions, key) || (event.repeat && 'gbeu'.includes(key))) return
  event.preventDefault()
  actions[key]?.()
}

function verdictName(verdict: Verdict): string {
  return { good: say`Good`, bad: say`Bad`, edit: say`Edited` }[verdict]
}

function VerdictTag({ decision: { verdict } }: { readonly decision: Decision }) {
  if (verdict === null) return <span class="tag">{say`not judged`}</span>
  return <span class={`tag verdict-${verdict}`}>{verdictName(verdict)}</span>
}

function Texts({ pair, at }: { readonly pair: ReviewPair; readonly at: number }) {
  const { instruction, output } = decisionAt(at)
  return (
    <div class="review-texts">
      <Raw pair={pair} />
      <div>
        <h3>{say`Instruction`}</h3>
        <p class="review-instruction" lang="zh-CN">
          {instruction ?? pair.instruction}
        </p>
      </div>
      <div>
        <h3>{say`Answer`}</h3>
        <p class="review-output" lang="zh-CN">
          {output ?? pair.output}
        </p>
      </div>
    </div>
  )
}

function Raw({ pair: { raw, split, source, id } }: { readonly pair: ReviewPair }) {
  return (
    <div>
      <h3>{say`Source text: ${source === '' ? split : source}, ${id}`}</h3>
      <p class="review-raw" lang="zh-CN">
        {raw}
      </p>
    </div>
  )
}

function EditTexts({ pair, decision }: { readonly pair: ReviewPair; readonly decision: Decision }) {
  const instruction = useRef<HTMLTextAreaElement>(null)
  const output = useRef<HTMLTextAreaElement>(null)
  useEffect(() => instruction.current?.focus(), [])
  const submit = (event: Event): void => {
    event.preventDefault()
    const texts = { instruction: instruction.current?.value.trim() ?? '', output: output.current?.value.trim() ?? '' }
    if (texts.instruction === '' || texts.output === '') {
      ;(texts.instruction === '' ? instruction : output).current?.focus()
      return
    }
    edit(false)
    decide({ verdict: 'edit', ...texts })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return
    if (event.key === 'Escape') edit(false)
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event)
  }
  return (
    <form onSubmit={submit} onKeyDown={onKeyDown}>
      <div class="review-texts">
        <Raw pair={pair} />
        <div>
          <h3>
            <label for="edit-instruction">{say`Instruction`}</label>
          </h3>
          <textarea
            id="edit-instruction"
            ref={instruction}
            lang="zh-CN"
            defaultValue={decision.instruction ?? pair.instruction}
          />
        </div>
        <div>
          <h3>
            <label for="edit-output">{say`Answer`}</label>
          </h3>
          <textarea id="edit-output" ref={output} lang="zh-CN" defaultValue={decision.output ?? pair.output} />
        </div>
      </div>
      <div class="review-keys">
        <button type="submit">
          {say`Save`}
          <kbd>Ctrl ⏎</kbd>
        </button>
        <button type="button" onClick={() => edit(false)}>
          {say`Cancel`}
          <kbd>Esc</kbd>
        </button>
      </div>
    </form>
  )
}

interface KeysOptions {
  readonly at: number
  readonly all: number
  readonly canUndo: boolean
}

function Keys({ at, all, canUndo }: KeysOptions) {
  const buttons: readonly [name: string, key: string, act: () => void, disabled: boolean][] = [
    [say`Good`, 'g', () => decide({ verdict: 'good' }), false],
    [say`Bad`, 'b', () => decide({ verdict: 'bad' }), false],
    [say`Edit`, 'e', () => edit(true), false],
    [say`Undo`, 'u', undo, !canUndo],
    [say`Previous`, 'k', () => move(-1), at === 0],
    [say`Next`, 'j', () => move(1), at === all - 1],
  ]
  return (
    <div class="review-keys">
      {buttons.map(([name, key, act, disabled]) => (
        <button type="button" key={key} aria-keyshortcuts={key} disabled={disabled} onClick={act}>
          {name}
          <kbd>{key}</kbd>
        </button>
      ))}
    </div>
  )
}

function Legend() {
  const keys: readonly [key: string, meaning: string][] = [
    ['g', say`The pair is good as it is; the next one is shown.`],
    ['b', say`The pair should not be in the dataset.`],
    ['e', say`Correct the instruction or the answer; the corrected texts are saved with the review.`],
    ['u', say`Take the last decision back.`],
    ['j →', say`Next pair, without a decision`],
    ['k ←', say`Previous pair`],
    ['?', say`Show or hide this list`],
  ]
  return (
    <dl class="review-legend">
      {keys.map(([key, meaning]) => (
        <>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{meaning}</dd>
        </>
      ))}
    </dl>
  )
}
