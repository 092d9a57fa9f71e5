/**
 * Admin API of a running simulator: /admin/faults, /admin/capacity, /admin/kill, /admin/revive,
 * /admin/stats.
 */
import { z } from 'zod'
import { type Exchange, parseJson } from './exchange.js'
import { faultRule } from './fault-rules.js'
import type { Faults } from './faults.js'
import { check } from './options.js'
import type { Simulator } from './types.js'

/** Serves one admin request. There is no authentication: expose it on loopback only. */
export async function admin(simulator: Simulator, faults: Faults, exchange: Exchange, path: string): Promise<void> {
  const body = exchange.body === '' ? {} : parseJson(exchange.body)
  switch (`${exchange.request.method} ${path}`) {
    case 'GET /admin/faults':
      return exchange.json(200, { faults: faults.list() })
    case 'POST /admin/faults':
      simulator.setFaults(check(z.strictObject({ faults: z.array(faultRule) }), body, 'body').faults)
      return exchange.json(200, { faults: faults.list() })
    case 'POST /admin/capacity':
      simulator.setCapacity(check(capacityBody, body, 'body'))
      return exchange.json(200, {})
    case 'POST /admin/kill':
      exchange.json(200, {})
      exchange.response.once('finish', () => simulator.kill())
      return
    case 'POST /admin/revive':
      await simulator.revive()
      return exchange.json(200, {})
    case 'GET /admin/stats':
      return exchange.json(200, simulator.stats())
  }
  exchange.json(404, { detail: 'Not Found' })
}

const capacityBody = z.strictObject({
  speed: z.number().positive().optional(),
  runningMax: z.number().int().positive().optional(),
})
