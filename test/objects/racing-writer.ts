/** A process that writes the keys it is told to, with several clients at the same time, and reports how many won. */
import { openObjectStore } from '../../lib/objects/open-store.js'
import { claim } from './contract.js'

const [where = '', name = '', clients = '4'] = process.argv.slice(2)
const stores = await Promise.all(Array.from({ length: Number(clients) }, () => openObjectStore(where)))
process.on('message', async (round: number) => {
  const won = await Promise.all(
    stores.map((store, at) => store.putIfAbsent(`processes/${round}.json`, claim(round, `${name}.${at}`))),
  )
  process.send?.({ round, winners: won.flatMap((each, at) => (each ? [`${name}.${at}`] : [])) })
})
process.send?.('ready')
