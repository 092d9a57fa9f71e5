/** The other side of the HTTP bench, in a process of its own: answers every request after `delayMs`, and does no work. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const delayMs = Number(process.argv[2])
const reply = JSON.stringify({
  choices: [
    { index: 0, message: { role: 'assistant', content: '春天的花园里有很多花。'.repeat(20) }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 400, completion_tokens: 200 },
})
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(reply) }
let open = 0
let most = 0

const server = createServer((request, response) => {
  if (request.url === '/most') {
    const { user, system } = process.cpuUsage()
    response.end(JSON.stringify({ most, cpuMs: (user + system) / 1000 }))
    return
  }
  most = Math.max(most, ++open)
  request.resume()
  setTimeout(() => {
    open--
    response.writeHead(200, headers).end(reply)
  }, delayMs)
})
server.keepAliveTimeout = 60_000
server.listen({ port: 0, host: '127.0.0.1', backlog: 16_384 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})
