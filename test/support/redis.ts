/** A Redis server of a test: loopback, a port of its own, a directory of its own, ended by its process id. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** Reason to skip tests that need a server; false if it is installed. */
export const redisMissing: string | false = (() => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'redis-server is not installed'
  }
})()

export class RedisServer {
  readonly port: number
  readonly #folder: string
  readonly #lines: readonly string[]
  #child: ChildProcess | null = null

  private constructor(folder: string, port: number, lines: readonly string[]) {
    this.#folder = folder
    this.port = port
    this.#lines = lines
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** @param lines more lines of its configuration */
  static async start(folder: string, lines: readonly string[] = []): Promise<RedisServer> {
    for (let tries = 0; ; tries++) {
      const server = new RedisServer(folder, await freePort(), lines)
      try {
        await server.run()
        return server
      } catch (error) {
        // Another process may have taken the port.
        if (tries === 3) throw error
      }
    }
  }

  async run(): Promise<void> {
    const path = join(this.#folder, 'redis.conf')
    const config = [
      ...[`port ${this.port}`, 'bind 127.0.0.1', `dir ${this.#folder}`, 'daemonize no', 'save ""', 'appendonly yes'],
      ...['appendfsync everysec', 'maxmemory-policy noeviction', ...this.#lines],
    ]
    writeFileSync(path, `${config.join('\n')}\n`)
    const child = spawn('redis-server', [path], { stdio: 'ignore' })
    this.#child = child
    for (let tries = 0; !(await this.#responds()); tries++) {
      if (child.exitCode !== null || tries > 200) throw new Error(`redis-server did not start on port ${this.port}`)
      await delay(25)
    }
  }

  async #responds(): Promise<boolean> {
    const redis = this.client()
    try {
      await redis.connect()
      await redis.ping()
      return true
    } catch (error) {
      return (error as Error).message.includes('NOAUTH') || (error as Error).message.includes('NOPERM')
    } finally {
      redis.disconnect()
    }
  }

  client(username?: string, password?: string): Redis {
    const user = username === undefined || password === undefined ? {} : { username, password }
    const redis = new Redis({ port: this.port, ...user, lazyConnect: true, retryStrategy: () => null })
    redis.on('error', () => undefined) // `connect` and the commands reject
    return redis
  }

  async command(...words: [string, ...string[]]): Promise<unknown> {
    const redis = this.client()
    try {
      await redis.connect()
      return await redis.call(...words)
    } finally {
      redis.disconnect()
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Ends the process; `run` starts it again with what it had written. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
