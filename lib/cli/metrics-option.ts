/** The option `--metrics`. Apart from its server, so that other commands do not load it. */
import { InvalidArgumentError, Option } from 'commander'
import { say } from '../language/say.js'

/** As other exporters: https://github.com/prometheus/prometheus/wiki/Default-port-allocations */
const portDefault = 9464

export function metricsOption(): Option {
  return new Option(
    '--metrics [port]',
    'serve Prometheus metrics on 127.0.0.1; port 9464 by default, 0 takes a free one',
  )
    .preset(String(portDefault))
    .argParser((text) => portNumber(text))
}

function portNumber(text: string): number {
  const port = Number(text)
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError(
    say`Give a port from 0 to 65535, as in --metrics=9464, or put --metrics after the recipe.`,
  )
}
