/** Help and wrong use in Chinese, for every command: the language is set before anything of the command line is loaded. */
import stringWidth from 'string-width'
import t, { type Test } from 'tap'

process.env.KUN_STREAM_LANG = 'zh'
const { mainInProcess } = await import('../support/main-in-process.js')
const { commandNames } = await import('../support/command-pages.js')

const unitCommands = ['units ls', 'units retry', 'units bisect', 'units skip']
const cellsMax = 80
/** Four English words in a row, of which none is a name. */
const english = /(?<![-\w./<["])(?:[a-z]{3,} ){3,}[a-z]{3,}/
const isChinese = (line: string) => /\p{Script=Han}/u.test(line)

t.test('The help of every command is Chinese and fits 80 cells; an unknown option is named', async (t) => {
  const columns = Object.getOwnPropertyDescriptor(process.stdout, 'columns')
  Object.defineProperty(process.stdout, 'columns', { value: cellsMax, configurable: true })
  t.teardown(() => columns && Object.defineProperty(process.stdout, 'columns', columns))
  for (const name of [...commandNames, ...unitCommands]) {
    const words = name.split(' ')
    const { code, stdout } = await mainInProcess(t, [...words, '--help'])
    t.equal(code, 0, name)
    const lines = stdout.split('\n')
    t.strictSame(
      lines.filter((line) => stringWidth(line) > cellsMax || (english.test(line) && !isChinese(line))),
      [],
      name,
    )
    const wrong = await mainInProcess(t, [...words, '--no-such-option'])
    t.equal(wrong.code, 2, name)
    t.match(wrong.stderr, /未知选项“--no-such-option”|缺少必需的参数|没有给出必需的选项/, name)
  }
})

t.test('Every kind of wrong use is said in Chinese, with its values and suggestion', async (t) => {
  const said = async (t: Test, args: readonly string[]) => {
    const { code, stderr } = await mainInProcess(t, args)
    t.equal(code, 2, args.join(' '))
    return stderr
  }
  const cases: [string[], string][] = [
    [['rnu'], '错误：未知命令“rnu”\n（您是否想输入 run？）\n'],
    [['run', 'x.yaml', '--fres'], '错误：未知选项“--fres”\n（您是否想输入 --fresh？）\n'],
    [['run', 'x.yaml', "--it's"], "错误：未知选项“--it's”\n"],
    [['run'], '错误：缺少必需的参数“recipe”\n'],
    [['run', 'x.yaml', '--out'], '错误：选项“--out <dir>”缺少参数值\n'],
    [['rebuild', 'x'], '错误：没有给出必需的选项“--out <dir>”\n'],
    [['run', 'a', 'b'], '错误：参数过多：应为 1 个，得到 2 个\n'],
    [['pipe', '--to', "it's"], "错误：选项“--to <format>”的值“it's”无效；可选值为 jsonl、arrow、parquet\n"],
    [['run', 'x', '--sample', '0'], '错误：选项“--sample <records>”的值“0”无效：必须是不小于 1 的整数。\n'],
    [['complete', 'tcsh'], '错误：参数“shell”的值“tcsh”无效；可选值为 zsh、bash、fish、powershell\n'],
    [['simulate', '--port', 'abc'], '--port 为 abc：请给 0 到 65535 的整数\n'],
    [['validate', '/no/such.yaml'], '无法读取 /no/such.yaml：没有这个文件。请给出配方的路径，例如 recipes/demo.yaml\n'],
  ]
  for (const [args, start] of cases) t.equal((await said(t, args)).slice(0, start.length), start)
})
