import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { mainInProcess } from '../../support/main-in-process.js'
import { projectRoot } from '../../support/root.js'
import { tinyRecipe } from '../../support/session.js'

/** A recipe whose server and sources do not exist. */
function recipeIn(t: Test, change: (text: string) => string = (text) => text): string {
  const file = join(t.testdir(), 'recipe.yaml')
  writeFileSync(file, change(tinyRecipe('http://127.0.0.1:1/v1', true)))
  return file
}

t.test('a valid recipe: exit code 0, whether or not its server is there', async (t) => {
  const recipe = recipeIn(t)
  t.match(await mainInProcess(t, ['validate', recipe]), { code: 0, stdout: `${recipe} is valid\n`, stderr: '' })
  const { code, stdout } = await mainInProcess(t, ['validate', recipe, '--json'])
  t.equal(code, 0)
  t.strictSame(JSON.parse(stdout), { valid: true, problems: [], warnings: [] })
})

t.test('every problem is one line with the place and the mend, exit code 2', async (t) => {
  const recipe = recipeIn(t)
  const set = (...pairs: string[]) => pairs.flatMap((pair) => ['--set', pair])
  const wrong: readonly (readonly [string, string[], RegExp])[] = [
    ['a typing error', set('kun.scor.keepAtLeast=1'), /kun\.scor: unknown key; did you mean score\?/],
    [
      'a placeholder with a typing error',
      set('kun.label.prompt={ text: "{txet} {text}" }'),
      /kun\.label\.prompt\.text: has \{txet\}, .* did you mean \{text\}\?/,
    ],
    ['a filter that is not there', set('prepare.filters=[./nowhere.mjs]'), /prepare\.filters: \.\/nowhere\.mjs/],
    ['a tokenizer that is not there', set('prepare.tokenizer=nowhere.json'), /prepare\.tokenizer.*nowhere\.json/],
    ['a prompt file that is not there', set('kun.score.prompt={ file: nowhere.json }'), /nowhere\.json cannot be read/],
  ]
  for (const [what, args, words] of wrong) {
    const { code, stderr, stdout } = await mainInProcess(t, ['validate', recipe, ...args])
    t.equal(code, 2, what)
    t.equal(stderr.trim().split('\n').length, 1, `${what}: ${stderr}`)
    t.match(stderr, words, what)
    t.equal(stdout, '')
    const { stdout: json } = await mainInProcess(t, ['validate', recipe, ...args, '--json'])
    const { valid, problems } = JSON.parse(json) as { valid: boolean; problems: string[] }
    t.match({ valid, problems }, { valid: false, problems: [words] }, `${what}, with --json`)
  }
})

t.test('a placeholder in a prompt file is checked, too; one that is close to no field is a warning', async (t) => {
  const recipe = recipeIn(t)
  const prompt = join(t.testdirName, 'prompt.json')
  const args = ['validate', recipe, '--set', `kun.score.prompt={ file: ${prompt} }`]
  writeFileSync(prompt, JSON.stringify({ name: 'mine', text: '{instruction} {instructoin}' }))
  t.match(await mainInProcess(t, args), { code: 2, stderr: /\{instructoin\}.*did you mean \{instruction\}/ })
  writeFileSync(prompt, JSON.stringify({ name: 'mine', text: '{instruction} {答案} { instructoin }' }))
  t.match(await mainInProcess(t, args), { code: 0, stderr: /^warning: kun\.score\.prompt.text has \{答案\}, .*\n$/ })
})

t.test('a column may name the cells of earlier stages; one of a later stage is unknown', async (t) => {
  const column = (text: string) =>
    `kun.columns=[{ name: level, after: score, model: judge, type: text, prompt: { text: "${text}" } }]`
  const recipe = recipeIn(t)
  t.match(await mainInProcess(t, ['validate', recipe, '--set', column('{instruction} {score} {route}')]), {
    code: 0,
    stderr: '',
  })
  t.match(await mainInProcess(t, ['validate', recipe, '--set', column('{socre}')]), {
    code: 2,
    stderr: /did you mean \{score\}/,
  })
})

t.test('schema prints the JSON Schema that is packaged', async (t) => {
  const { code, stdout } = await mainInProcess(t, ['schema'])
  t.equal(code, 0)
  const packaged = await import(join(projectRoot, 'recipes/recipe.schema.json'), { with: { type: 'json' } })
  t.strictSame(JSON.parse(stdout), packaged.default)
})
