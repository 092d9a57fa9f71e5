/** Units on Slurm: arrays on one node, and a node that is lost. Skipped where Slurm of Debian cannot run. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { type SubmitOptions, submitUnits } from '../../lib/slurm/submit.js'
import { writePlanFile, writePlanTotals } from '../../lib/units/unit-plan.js'
import { mainInProcess } from '../support/main-in-process.js'
import { projectRoot } from '../support/root.js'
import { bytesOf } from '../support/session.js'
import { type Slurm, type SlurmNode, startSlurm, within, withoutNamespaces, withoutSlurm } from '../support/slurm.js'

t.setTimeout(240_000)

const without = withoutSlurm()
const standIn = join(projectRoot, 'dist/test/slurm/element-stand-in.js')
/** Units in one file of the plan. */
const unitsPerFile = 100

const idOf = (cut: number): string => `${String(cut).padStart(6, '0')}-${'ab'.repeat(10)}`

/** A run directory with planned units and no run.json: the stand-in needs none. */
async function planned(t: Test, units: number) {
  const directory = t.testdir({})
  const store = await openObjectStore(directory)
  t.teardown(() => store.close())
  const zero = '0'.repeat(64)
  const lines = Array.from({ length: units }, (_, cut) => ({
    ...{ cut, id: idOf(cut), candidates: 1, bytes: 1, sha256: zero, content: zero, firstBlock: cut, blocks: 1 },
    ...{ cursor: null, inputs: { ended: [], open: [] }, dedupLogBytes: 0 },
  }))
  for (let from = 0; from < units; from += unitsPerFile)
    await writePlanFile(store, lines.slice(from, from + unitsPerFile))
  await writePlanTotals(store, { units, candidates: units })
  const submit = (more: Partial<SubmitOptions> = {}) =>
    submitUnits({
      store,
      folder: join(directory, 'slurm'),
      name: 'kun-test',
      parallel: 4,
      elementSeconds: 100,
      unitSeconds: 1,
      attemptsMax: 3,
      retriesMax: 3,
      options: [],
      command: [process.execPath, standIn, directory],
      dryRun: false,
      ...more,
    })
  const events = (): string[] => {
    const path = join(directory, 'events')
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  }
  const shall = (what: string) => writeFileSync(join(directory, what), '')
  const shallNot = (what: string) => rmSync(join(directory, what))
  return { directory, store, submit, events, shall, shallNot }
}

/** Starts Slurm, or skips the test with the reason. */
async function slurmOrSkip(t: Test, options: Parameters<typeof startSlurm>[0]): Promise<Slurm | null> {
  const slurm = await startSlurm(options)
  if (typeof slurm === 'string') {
    t.comment(`not run: ${JSON.stringify(slurm)}`)
    t.pass('not run', { skip: 'Slurm did not start' })
    return null
  }
  t.teardown(() => slurm.stop())
  return slurm
}

t.test(
  '1,001 units run in two arrays, and a second submission runs what is missing',
  { skip: without ?? false },
  async (t) => {
    const slurm = await slurmOrSkip(t, { maxArraySize: 8 })
    if (slurm === null) return
    const { directory, submit, events, shall, shallNot } = await planned(t, 1001)
    shall('fail-once-0-1')
    shall('hang-0-3')
    shall('hang-1-2')
    const first = await submit()
    t.match(first, { planned: 1001, done: 0, inHand: 0, submitted: 1001, unitsPerElement: 100 })
    t.same(
      first.arrays.map(({ elements }) => elements),
      [6, 5],
    )
    const isSeen = (pattern: RegExp) => events().some((line) => pattern.test(line))
    const hang = await within(60_000, async () => isSeen(/^start 0\/3 .*=0$/) && isSeen(/^start 1\/2 .*=0$/))
    t.ok(hang, 'two elements hang')

    t.comment('While they run nothing is submitted a second time')
    const during = await submit()
    t.match(during, { submitted: 0, submission: null })
    t.ok(during.inHand >= 200, 'the elements that hang are in hand')

    t.comment('Nor after a submission that was killed before it noted its jobs')
    rmSync(join(directory, 'slurm/000/jobs.json'))
    const unnoted = await submit()
    t.match(unnoted, { submitted: 0, submission: null })
    t.ok(unnoted.inHand >= 200, `${unnoted.inHand} units are in hand by the scripts in the queue`)

    t.comment('An element that is told to end goes back to the queue, and starts again without the delay of Slurm')
    shall('wrong-1-2')
    const [one, other] = first.arrays.map(({ job }) => job)
    for (const [element, array] of [
      [`${one}_3`, '0/3'],
      [`${other}_2`, '1/2'],
    ] as const) {
      // Slurm refuses the signal while it has not noted yet that the script has started, and may deliver it and answer too late.
      const isTold = await within(60_000, async () => {
        const isAccepted = await slurm.run('scancel', '--batch', '--signal=TERM', element).then(
          () => true,
          () => false,
        )
        return isAccepted || events().includes(`term ${array}`)
      })
      t.ok(isTold, `element ${element} is told to end`)
    }
    await slurm.idle(90_000)
    t.ok(isSeen(/^term 0\/3$/))
    t.ok(isSeen(/^start 0\/3 .* restart=1$/))
    t.ok(isSeen(/^start 0\/1 .* restart=1$/), 'the failed element ran again')
    t.equal(events().filter((line) => line.startsWith('start 1/2')).length, 2, 'wrong use is not repeated')

    t.comment('A second submission runs what is missing')
    shallNot('wrong-1-2')
    const second = await submit()
    t.match(second, { planned: 1001, done: 901, inHand: 0, submitted: 100 })
    t.ok(second.submitted > 0 && second.submitted <= 100)
    await slurm.idle(60_000)
    const units = events().filter((line) => line.startsWith('unit '))
    t.equal(units.length, 1001)
    t.equal(new Set(units).size, 1001)
    t.notOk(events().some((line) => line.startsWith('twice')))
    t.match(await submit(), { done: 1001, submitted: 0, submission: null, arrays: [] })
  },
)

t.test('A lost node: its elements run elsewhere', { skip: without ?? withoutNamespaces() ?? false }, async (t) => {
  const hosts = namespaces(t)
  const slurm = await slurmOrSkip(t, { maxArraySize: 1001, slurmdTimeout: 5, ...hosts })
  if (slurm === null) return
  const { submit, events, shall, directory } = await planned(t, 8)
  shall('hang-on-n2')
  await submit({ elementSeconds: 1, parallel: null })
  const startsOn = (node: string) => events().filter((line) => line.includes(` ${node} `))
  const units = () => events().filter((line) => line.startsWith('unit '))
  const shared = await within(
    60_000,
    async () => startsOn('n2').length > 0 && units().length + startsOn('n2').length === 8,
  )
  t.ok(shared, `both nodes have elements: ${events().length} events`)
  const lost = startsOn('n2').length
  hosts.lose('n2')
  const isDown = await within(60_000, async () => {
    return /down/.test(await slurm.run('sinfo', '--noheader', '--Node', '--nodes=n2', '--format', '%t'))
  })
  t.ok(isDown, 'the node is down')
  // The elements wait for two minutes unless a submission starts them.
  const over = await within(60_000, async () => {
    await submit({ elementSeconds: 1, parallel: null })
    return units().length === 8
  })
  t.ok(over, `${units().length} of 8 units, ${directory}`)
  t.equal(new Set(units()).size, 8)
  t.equal(startsOn('n1').filter((line) => /restart=[1-9]/.test(line)).length, lost)
})

/** Three hosts on a bridge: a controller and two nodes. Removed at the end of the test. */
function namespaces(t: Test) {
  const id = process.pid
  const net = `10.77.${id % 250}`
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  const bridge = `kb${id}`
  const names = ['ctl', 'n1', 'n2'] as const
  const spaceOf = (name: string) => `ks${id}-${name}`
  const kill = (name: string) => {
    const pids = execFileSync('ip', ['netns', 'pids', spaceOf(name)], { encoding: 'utf8' })
    for (const pid of pids.split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }
  t.teardown(() => {
    for (const name of names) {
      if (!existsSync(`/var/run/netns/${spaceOf(name)}`)) continue
      kill(name)
      ip('netns', 'del', spaceOf(name))
    }
    if (existsSync(`/sys/class/net/${bridge}`)) ip('link', 'del', bridge)
  })
  ip('link', 'add', bridge, 'type', 'bridge')
  ip('addr', 'add', `${net}.1/24`, 'dev', bridge)
  ip('link', 'set', bridge, 'up')
  const hosts = names.map((name, index): SlurmNode => {
    const space = spaceOf(name)
    const address = `${net}.${10 + index}`
    ip('netns', 'add', space)
    ip('link', 'add', `kv${id}${index}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    ip('link', 'set', `kv${id}${index}`, 'master', bridge, 'up')
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    ip('-n', space, 'link', 'set', 'eth0', 'up')
    ip('-n', space, 'link', 'set', 'lo', 'up')
    const inSpace = ['ip', 'netns', 'exec', space, 'unshare', '--uts', '--', 'sh', '-c']
    return { name, address, on: [...inSpace, `hostname ${name}; exec "$@"`, 'sh'] }
  })
  return {
    controller: hosts[0] as SlurmNode,
    nodes: hosts.slice(1),
    /** The host is off: nothing of it runs, and nothing reaches it. */
    lose(name: 'n1' | 'n2') {
      ip('-n', spaceOf(name), 'link', 'set', 'eth0', 'down')
      kill(name)
    },
  }
}

t.test('A node starts its own server for its units, and ends it', { skip: without ?? false }, async (t) => {
  const slurm = await slurmOrSkip(t, { maxArraySize: 1001 })
  if (slurm === null) return
  const texts = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
  const directory = t.testdir({ 'a.jsonl': `${texts.split('\n').slice(0, 24).join('\n')}\n` })
  const recipe = {
    name: 'trial',
    sources: [{ split: 's', files: [join(directory, 'a.jsonl')], text: 'text' }],
    read: { blockBytes: 4096 },
    models: { m: { endpoints: ['http://127.0.0.1:9/v1'], model: 'extractive' } },
    kun: { label: { model: 'm' }, score: { model: 'm' } },
    output: { dir: join(directory, 'one'), candidatesPerCut: 8 },
    brakes: false,
  }
  writeFileSync(join(directory, 'recipe.yaml'), JSON.stringify(recipe))
  const cli = join(projectRoot, 'dist/bin/kun-stream.js')
  const kun = (...args: string[]) => slurm.run(process.execPath, cli, ...args)
  const serve = `${process.execPath} ${cli} simulate --port {port} --model extractive`
  const units = join(directory, 'units')
  await kun('prepare', join(directory, 'recipe.yaml'), '--out', units, '--no-probe')
  const submitted = JSON.parse(
    await kun('submit', units, '--slurm', '--serve', serve, '--unit-minutes', '30', '--parallel', '2', '--json'),
  )
  t.ok(submitted.planned > 1 && submitted.submitted === submitted.planned, `${submitted.planned} units`)
  await slurm.idle(90_000)
  const again = JSON.parse(await kun('submit', units, '--slurm', '--json'))
  t.match(again, { submitted: 0, done: submitted.planned })
  const server = await startSimulator({ models: ['extractive'] })
  t.teardown(() => server.close())
  const plain = ['run', join(directory, 'recipe.yaml'), '--set', `models.m.endpoints=["${server.url}"]`]
  const run = await mainInProcess(t, plain)
  if (run.code !== 0) t.comment(run.stderr)
  t.equal(run.code, 0)
  t.match(await mainInProcess(t, ['assemble', units]), { code: 0 })
  const bytes = bytesOf(units)
  t.ok(
    Object.keys(bytes).some((path) => path.startsWith('data/')),
    'there are rows',
  )
  t.strictSame(bytes, bytesOf(join(directory, 'one')), 'the dataset has the bytes of one run')
  const logs = await slurm.run('sh', '-c', `cat ${units}/slurm/000/logs/*`)
  const port = Number(/http:\/\/127\.0\.0\.1:(\d+)\/v1/.exec(logs)?.[1])
  t.ok(port > 0, 'the node started its server')
  await t.rejects(fetch(`http://127.0.0.1:${port}/health`), 'and ended it')
})
