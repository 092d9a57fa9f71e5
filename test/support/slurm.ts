/**
 * Slurm of the test's own: munged, slurmctld and slurmd with configuration, state and ports in a temporary folder. Starts and
 * ends its own processes only. Needs root and the packages slurmctld, slurmd, slurm-client, slurm-wlm-basic-plugins, munge.
 */
import { type ExecFileException, execFile, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Time for the daemons to be up, ms, and between two looks. */
const upMaxMs = 40_000
const lookMs = 300
/** Time for one command, ms. */
const commandMaxMs = 90_000

const programs = ['slurmctld', 'slurmd', 'sbatch', 'scontrol', 'squeue', 'munged', 'setpriv']

/** Why Slurm cannot run here; null if it can. */
export function withoutSlurm(): string | null {
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = programs.filter((name) => pathOf(name) === null)
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`
}

/** Why network namespaces cannot be made here; null if they can. */
export function withoutNamespaces(): string | null {
  if (pathOf('ip') === null) return 'not installed: ip'
  const name = `ks${process.pid}-try`
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' })
    execFileSync('ip', ['link', 'add', `kt${process.pid}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name])
    execFileSync('ip', ['link', 'del', `kt${process.pid}`])
    return null
  } catch (error) {
    return `network namespaces cannot be made: ${String((error as ExecFileException).message).split('\n')[0]}`
  } finally {
    if (existsSync(`/var/run/netns/${name}`)) execFileSync('ip', ['netns', 'del', name])
  }
}

function pathOf(program: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null
}

export interface SlurmNode {
  readonly name: string
  readonly address: string
  /** Words before a command, so that it runs on the node. */
  readonly on: readonly string[]
}

export interface SlurmOptions {
  readonly maxArraySize: number
  /** Seconds without an answer after which a node is down. */
  readonly slurmdTimeout?: number
  readonly controller?: SlurmNode
  readonly nodes?: readonly SlurmNode[]
}

export interface Slurm {
  readonly folder: string
  /** Resolves once no element waits or runs; rejects after a time with the state of the queue. */
  idle(maxMs: number): Promise<void>
  run(program: string, ...args: string[]): Promise<string>
  /** What the daemons logged, for a message. */
  logs(): string
  stop(): Promise<void>
}

/** Starts Slurm, and sets SLURM_CONF of this process. Null with a reason if the daemons do not come up. */
export async function startSlurm(options: SlurmOptions): Promise<Slurm | string> {
  const folder = mkdtempSync(join(tmpdir(), 'kun-slurm-'))
  chmodSync(folder, 0o755)
  for (const name of ['state', 'log', 'munge']) mkdirSync(join(folder, name))
  const here: SlurmNode = { name: hostname(), address: '127.0.0.1', on: [] }
  const { maxArraySize, slurmdTimeout = 300, controller = here, nodes = [here] } = options
  const config = join(folder, 'slurm.conf')
  const port = await freePorts()
  writeFileSync(config, configOf({ folder, maxArraySize, slurmdTimeout, controller, nodes, port }))
  const constrain = ['Cores', 'RAMSpace', 'Devices'].map((name) => `Constrain${name}=no\n`).join('')
  writeFileSync(join(folder, 'cgroup.conf'), `CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n${constrain}`)
  const pidFiles = ['slurmctld', ...nodes.map(({ name }) => `slurmd-${name}`)].map((name) =>
    join(folder, `${name}.pid`),
  )
  const slurm: Slurm = {
    folder,
    async idle(maxMs) {
      const shown = () => slurm.run('squeue', '--noheader', '--array')
      if (!(await within(maxMs, async () => (await shown()).trim() === ''))) throw new Error(`still:\n${await shown()}`)
    },
    run: (program, ...args) => output(program, args),
    logs: () =>
      ['slurmctld', 'munged', ...nodes.map(({ name }) => `slurmd-${name}`)]
        .map((name) => tail(folder, name))
        .join('\n'),
    async stop() {
      for (const file of [...pidFiles, join(folder, 'munge/munged.pid')]) await end(file)
      delete process.env.SLURM_CONF
      rmSync(folder, { recursive: true, force: true })
    },
  }
  process.env.SLURM_CONF = config
  try {
    startMunge(folder)
    const start = ({ on }: SlurmNode, words: readonly string[]) => {
      const [program, ...args] = [...on, ...words] as [string, ...string[]]
      execFileSync(program, args, { stdio: 'pipe', timeout: 20_000 })
    }
    start(controller, [pathOf('slurmctld') ?? '', '-c'])
    for (const node of nodes) start(node, [pathOf('slurmd') ?? '', '-N', node.name])
    const up = await within(upMaxMs, async () => {
      const states = await slurm.run('sinfo', '--noheader', '--Node', '--format', '%t').catch(() => '')
      return states.split('\n').filter((state) => state.trim() === 'idle').length === nodes.length
    })
    if (up) return slurm
    const why = `the daemons do not come up: ${slurm.logs()}`
    await slurm.stop()
    return why
  } catch (error) {
    const why = `the daemons do not start: ${(error as Error).message}`
    await slurm.stop()
    return why
  }
}

/** Polls a condition; false after a time. */
export async function within(maxMs: number, holds: () => Promise<boolean>): Promise<boolean> {
  for (const fromMs = performance.now(); performance.now() - fromMs < maxMs; ) {
    if (await holds()) return true
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
  return false
}

function startMunge(folder: string): void {
  const munge = join(folder, 'munge')
  const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, 'munge']))) as [number, number]
  chownSync(munge, uid, gid)
  chmodSync(munge, 0o711)
  const key = join(munge, 'munge.key')
  writeFileSync(key, Buffer.alloc(128, 'kun-stream test key '), { mode: 0o400 })
  chownSync(key, uid, gid)
  const files = { pid: 'munged.pid', log: 'munged.log', seed: 'munged.seed' }
  const named = Object.entries(files).map(([name, file]) => `--${name}-file=${join(munge, file)}`)
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  const munged = [pathOf('munged') ?? '', ...named, `--key-file=${key}`, `--socket=${join(munge, 'socket')}`]
  execFileSync('setpriv', [...user, ...munged], { stdio: 'pipe', timeout: 20_000 })
}

interface Config extends Required<SlurmOptions> {
  readonly folder: string
  readonly port: readonly [number, number]
}

function configOf({ folder, maxArraySize, slurmdTimeout, controller, nodes, port }: Config): string {
  return `ClusterName=kun${process.pid}
SlurmctldHost=${controller.name}(${controller.address})
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/log/slurmctld.log
SlurmdLogFile=${folder}/log/slurmd-%n.log
SlurmctldPort=${port[0]}
SlurmdPort=${port[1]}
SlurmdTimeout=${slurmdTimeout}
SlurmctldTimeout=30
MessageTimeout=60
KillWait=5
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=200000,batch_sched_delay=0,bf_interval=1
JobRequeue=1
SlurmdParameters=config_overrides
MaxArraySize=${maxArraySize}
RebootProgram=/bin/false
${nodes.map(({ name, address }) => `NodeName=${name} NodeAddr=${address} CPUs=4 RealMemory=1000 State=UNKNOWN`).join('\n')}
PartitionName=main Nodes=${nodes.map(({ name }) => name).join(',')} Default=YES MaxTime=INFINITE State=UP
`
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()]
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return ports as [number, number]
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: commandMaxMs }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
  })
}

/** Ends a daemon by the number in its file, which it wrote itself. */
async function end(pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').trim())
  if (!(pid > 1)) return
  const isAlive = () => existsSync(`/proc/${pid}`)
  if (isAlive()) process.kill(pid, 'SIGTERM')
  if (!(await within(10_000, async () => !isAlive()))) process.kill(pid, 'SIGKILL')
}

function tail(folder: string, name: string): string {
  const path = name === 'munged' ? join(folder, 'munge/munged.log') : join(folder, `log/${name}.log`)
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-4).join(' | ').replace(/[{}#]/g, '') : ''
}
