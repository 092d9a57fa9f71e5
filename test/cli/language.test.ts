import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../support/root.js'
import { bytesOf } from '../support/session.js'

const recipe = `name: tiny
sources: [{ split: train, files: documents.jsonl, text: text }]
models: { main: { endpoints: [builtin] } }
kun: { label: { model: main }, score: { model: main, keepAtLeast: 0.5 }, polish: { model: main } }
output: { dir: out }
`
const documents = [
  '水稻是中国南方重要的粮食作物，种植历史悠久，品种繁多。育秧时要注意水温和施肥，移栽后要及时除草和灌溉，抽穗期需要防治稻瘟病和稻飞虱，成熟后应尽快收割晾晒，以免遭遇阴雨天气造成损失。',
  '长城是中国古代的军事防御工程，始建于春秋战国时期，秦始皇统一六国后将各国的城墙连接起来，明代又进行了大规模的修筑。今天我们看到的长城大多是明代修建的，东起鸭绿江，西至嘉峪关，全长八千多公里。',
]

async function kunStream(cwd: string, ...args: string[]) {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/bin/kun-stream.js'), ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (bytes) => (said.stdout += bytes))
  child.stderr.on('data', (bytes) => (said.stderr += bytes))
  const [code] = await once(child, 'close')
  return { code, ...said }
}

/** Three lower-case English words in a row; quoted values, paths and options are not prose. */
const english = /(?<![\w./-])[a-z]{2,}(?: [a-z]{2,}){2,}(?![\w/-])/g
/** A command that a message names, and the words of the system in a cause. */
const allowed = /npm run build|no such file or directory/g

function sentences(text: string): string[] {
  return (
    text
      .replace(/'[^']*'|"[^"]*"|“[^”]*”|`[^`]*`/g, '')
      .replace(allowed, '')
      .match(english) ?? []
  )
}

t.test(
  'with --lang zh a run, its check and its faults print no English sentence, and its data has the same bytes',
  async (t) => {
    const root = t.testdir({ 'documents.jsonl': documents.map((text) => `${JSON.stringify({ text })}\n`).join('') })
    writeFileSync(join(root, 'tiny.yaml'), recipe)
    const run = (lang: string) => kunStream(root, 'run', 'tiny.yaml', '--out', `out-${lang}`, '--lang', lang)
    const [chinese, plain] = [await run('zh'), await run('en')]
    t.equal(chinese.code, 0, chinese.stderr)
    t.equal(plain.code, 0, plain.stderr)
    t.not(sentences(plain.stdout + plain.stderr).length, 0, 'English is recognized')
    t.strictSame(sentences(chinese.stderr), [])
    t.strictSame(sentences(chinese.stdout), [])
    t.match(chinese.stdout, '完成')
    t.strictSame(bytesOf(join(root, 'out-zh')), bytesOf(join(root, 'out-en')))

    const others = [
      ['verify', 'out-zh'],
      ['status', 'out-zh'],
      ['verify', 'missing'],
      ['run', 'tiny.yaml', '--fres'],
      ['run'],
      ['validate', 'tiny.yaml', '--set', 'kun.score.keepAtLeast=high', '--set', 'kun.scor=1'],
    ]
    for (const args of others) {
      const { stdout, stderr } = await kunStream(root, ...args, '--lang', 'zh')
      t.strictSame(sentences(stdout + stderr), [], `${args.join(' ')}: ${stdout}${stderr}`)
      t.match(stdout + stderr, /\p{Script=Han}/u)
    }
  },
)
