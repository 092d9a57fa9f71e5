import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { loadRecipe, parseRecipe } from '../../lib/recipe/index.js'

const text = `name: 小
sources: [{ split: wudao, preset: wudao, files: data/*.json }]
models: { writer: { endpoints: [builtin], extraBody: { stop: ["\\0"] } } }
kun: { label: { model: writer }, score: { model: writer } }
output: { dir: out/small }
`
const recipe = text.replace('小', 'small')
const utf16be = (value: string) => Buffer.from(value, 'utf16le').swap16()

t.test('a recipe that is not UTF-8 text is refused with the name of its format', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'recipe.yaml')
  const cases: [string, Buffer, RegExp][] = [
    ['UTF-16 with a mark', Buffer.from(`\ufeff${text}`, 'utf16le'), /it is UTF-16 \(little-endian\); save it as UTF-8/],
    ['big-endian UTF-16', utf16be(`\ufeff${text}`), /it is UTF-16 \(big-endian\)/],
    ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), /UTF-16 \(little-endian, without a byte order mark\)/],
    ['big-endian without a mark', utf16be(text), /UTF-16 \(big-endian, without a byte order mark\)/],
    ['GBK', Buffer.concat([Buffer.from('name: '), Buffer.from([0xd6, 0xd0])]), /byte 6 is not UTF-8; it may be GBK/],
    ['gzip', gzipSync(text), /it is compressed with gzip/],
    ['Parquet', Buffer.from('PAR1abcd'), /it is a Parquet file/],
    [
      'binary',
      Buffer.concat([Buffer.from('abcdef'), Buffer.alloc(1), Buffer.from(text)]),
      /byte 6 is NUL: it is binary/,
    ],
    ['too large', Buffer.alloc(1024 * 1024 + 1, '# '), /it is larger than 1 MiB/],
  ]
  for (const [what, bytes, message] of cases) {
    writeFileSync(path, bytes)
    await t.rejects(loadRecipe(path), { code: 'KUN_RECIPE', exitCode: 2, message }, what)
  }
  for (const good of [recipe, `\ufeff${recipe}`]) {
    writeFileSync(path, good)
    t.match(await loadRecipe(path), { name: 'small', models: { writer: { extraBody: { stop: ['\0'] } } } })
  }
})

t.test('an endless device is read only up to the size limit of a recipe', { timeout: 60_000 }, async (t) => {
  await t.rejects(loadRecipe('/dev/zero'), { code: 'KUN_RECIPE', message: /larger than 1 MiB/ })
  await t.rejects(loadRecipe('a\0b'), { code: 'KUN_RECIPE', message: /^a\\0b cannot be read: its path contains a NUL/ })
})

t.test('a NUL in a recipe is refused with its position, except in text that is sent to the model server', async (t) => {
  const parse = (...set: string[]) => parseRecipe(recipe, 'r.yaml', set)
  t.throws(() => parse('output.dir="a\\0b"'), {
    code: 'KUN_RECIPE',
    message: '--set output.dir=… output.dir: contains a NUL character (\\0); remove it',
  } as never)
  for (const set of ['sources[0].files=["a\\0"]', 'prepare.filters=["\\0"]', 'name="a\\0"', 'replies.from=["\\0"]'])
    t.throws(() => parse(set), { code: 'KUN_RECIPE', message: /contains a NUL character/ } as never, set)
})

t.test('aliases that expand exponentially are refused, in a recipe and in an override', async (t) => {
  const levels = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (const [place, name] of [...'bcdefghi'].entries()) {
    const below = 'abcdefghi'[place]
    levels.push(`${name}: &${name} [${`*${below},`.repeat(9)}]`)
  }
  t.throws(() => parseRecipe(levels.join('\n'), 'r.yaml'), {
    code: 'KUN_RECIPE',
    message: /more than 100 aliases/,
  } as never)
  const flow = `{${levels.join(', ')}}`
  t.throws(() => parseRecipe(recipe, 'r.yaml', [`name=${flow}`]), { exitCode: 2, message: /--set name/ } as never)
})
