/** Shards stored as xz: what comes of them, from every cursor, however they arrive, and where they are damaged. */
import t from 'tap'
import { brokenCursors, collect, documents, memoryShard, records, summary } from './support.js'

/**
 * Made by Python 3.11, `lines` being the documents below, each with a newline, and `half` the first 30 of them:
 * single = lzma.compress(lines); several = lzma.compress(half) + 8 zero bytes + lzma.compress(rest, check=CHECK_CRC32);
 * inTar = lzma.compress(a USTAR archive of a.jsonl with half and b.jsonl with rest).
 */
const single = [
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4BFrAy5dAD2IiSaBk1Ou19HSonxX7+2V8q16ShjA3CKOVcXeIF2E+NhrGiPX+Z9Ak5qszwHgqT08',
  'D4TFD7zBl2tX6sLTcab/vjm7HvkK2kA+rxPCcTEkpNQ/KqnI6X/ZxEUFIzoYaT/XJCHWxO3F/yjcsdVi00oc2oX6nIyVTgZJzVzO1mGwTsoJ',
  'WIMWKvzcvjLWifn3IqIZlpqX//uLZaM20dnE2+U+vA0TrfDShFj8T/lbr/RiQ1EhOnHwwPhUC9kOLZax8vQk7tyKU/9uoBY5mlSWLXvFIEMq',
  'walmj/DyWnGD4fl/0Ja63yuRoLc+D5ANcmVQuRaeJWCbgM3KSxsn6VB+GORHikHOkH/9irfE4VjJso7OLV5K04gsv/OkF17DERUWs6ySNGCx',
  '84NYbg6Ci9KZbnwheBUKXfFFwKghvT0eJews4sxbQWTYUtgwRdWkQhJi5dJTwwc0xuo+I4kgXmbvzrIotzD4VshmxQ7pODOFHY/iKFwRUIpp',
  'U814aDGQp9GsyjDlIY93viyV5PsNIV1YyNIu+RK05xvWbmB09SeopHcA6Cix+J60D+K7XtdBnwcGeVjmhNbCpKggyVZVUR9Dzt/k7XTHmcVk',
  'zhBrcI96LzBBDtcVaLDt01WXViD9NMAMacORF2w2hngrGA2VwQs1Zcg1aKskHx6pOZ6uCWm3sXbW6nwQc7YZW6Q8tQjZuJfJeDqy/QmcAobD',
  'Dl05K8G3VV808r1lMkJFoBfNvKJgsvSdIQMGYUm+UBM2UPzM0Yx550KEYuE7imTUIjqBk6KDpGZKI6rSttx80wJooea2rpHiZSoyqmO5o2nQ',
  '9jnNuyU8GqpY5hz6RJO/wcoD+L85R5fOVwiyj+4zW4rgYCX1a+F40g0jfbv5o8wAEcZ2NNVlIsZcHB+YhSizffJ1ZKwsLmZy0Pl9Ni7sZbdt',
  'b+qEQozmaRX8gSjXOY5CoF2vajh4XDqY8wUYBBPJUTg4bWzSBm681TugqZr8dO4aLkKTOkHuQK7zy9BG0lNOUG6mzbAXRWSx9uaP3Ww9KKpt',
  'ShKPC1eeoqN48XrjQCZPuYvMZGKWnKNc2LOPvr7WFB1DRAAAAACdvIyd1DQDJAABygbsIgAAoXAGW7HEZ/sCAAAAAARZWg==',
].join('')
const several = [
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AiWAeBdAD2IiSaBk1Ou19HSonxX7+2V8q16ShjA3CKOVcXeIF2E+NhrGiPX+Z9Ak5qszwHgqT08',
  'D4TFD7zBl2tX6sLTcab/vjm7HvkK2kA+rxPCcTEkpNQ/KqnI6X/ZxEUFIzoYaT/XJCHWxO3F/yjcsdVi00oc2oX6nIyVTgZJzVzO1mGwTsoJ',
  'WIMWKvzcvjLWifn3IqIZlpqX//uLZaM20dnE2+U+vA0TrfDShFj8T/lbr/RiQ1EhOnHwwPhUC9kOLZax8vQk7tyKU/9uoBY5mlSWLXvFIEMq',
  'walmj/DyWnGD4fl/0Ja63yuRoLc+D5ANcmVQuRaeJWCbgM3KSxsn6VB+GORHikHOkH/9irfE4VjJso7OLV5K04gsv/OkF17DERUWs6ySNGCx',
  '84NYbg6Ci9KZbnwheBUKXfFFwKghvT0eJews4sxbQWTYUtgwRdWkQhJi5dJTwwc0xuo+I4kgXmbvzrIotzD4VshmxQ7pODOFHY/iKFwRUIpp',
  'U814aDGQp9GsyjDlIY93viyV5PsNIV1YyNIu+RK05xvWbmB09SeopHcA6Cix+J60D+K7XtdBnwcGeVjmhNbCpKggyVZVUR9Dzt/k7XTHmcVk',
  'zhBrcI96LzBBDtcVaLDt01WXVh8E6sEF1gDwBaWg+CwvhwAB/AOXEQAANWfW27HEZ/sCAAAAAARZWgAAAAAAAAAA/Td6WFoAAAFpIt42AgAh',
  'ARYAAAB0L+Wj4AjUAfBdAD2IiSaBk1O4Ch7dHU0D1h0rgSZgKlQ+/gzEomlkl+Njzfv1n48EbJm7gDroCzlJO2YmxqVYqJqGoW6dngGokFOM',
  'CmVqBU1lTGAD4t7mu0Vh2lg1g/KUfF47ATXYLGpWiB2Hi35dGyN44EMbtKkn4vGxATSG6k0BQD+jHqdiRSqjYI0VZrgh29W8qWt0NpwGnXEy',
  'PLGl0jxKGIKA/WOIsBwTXNjsnyVDHFez9nsJseYqV/FXcGkaBcIYU67tDLynT8tTxrv7FIdCJYSLMQaKO6Hh+Fiz48LizTS4vx4K/BUi2/lE',
  'ozCgzmdvi9ivHHqdPl6V8EUtOFfTKdTHpJwSppXz925lzsuy6QTghby4dzi5xQFldEY+m14Mq3MrdKa9pa4TYrUHLCvy35Hi2AAIoallnJx8',
  'Y4r/y7dFMltFg9h4viJxuySmdkhn2CaoguraekoxpqCmU7TZ2Bq+HlWBgDJVHKQwYawkO4CDO90adkXi4P93iCSWVUzdmWhO9t5PnZhmFFK8',
  'bQLS81cGSr/cO3Whr47h3FgxblDSlQW4tf6W3Qj4NEdRLj/FwPTzKyDVI6Sr4WWczQQr/GCCF8TWejoZNjtomOekiHFK8x5VHAcf8ypUIb5r',
  'b39hoSrE5lpgVY+gN1+F1cX6ls/Ijv7itQYADl2ZBwABiATVEQAARGRYyD4wDYsCAAAAAAFZWg==',
].join('')
const inTar = [
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/A4tdADCLiUdz+CusvdiXcSDV1GMGjgXZt4OMhRzRAvLrm1ofbvTG65+zZ7XpgUpfQ1p3DFWo',
  'BBPcmux2ackXJrH8HQw740z3QyZ6xePmcQZuP9L+HLiSGC0kEe8m7XgYHkTtAjdMr+WXdJYEpSFq5im0CuNDeG1ooKl3UxV/3TBcX5ExoX6B',
  'xkgqDaX0rDzR22HTBefWSwBOuoQ+gMGvQsijvQE7lnqlp0GCo/SRLqbyoHHV+iY36SM5XAPK+Rdi4NRag8OV32GVjFsGxt/ouUyvYBqXiOVR',
  'isGFte2qanZHiYGWdWGywcdqvQRUpWypHqywZ45oVEh6LZtVFC0eZm0zcjDSCMuDDJMxeQSbl6bLuKowqSyKxHHHh69+8ICaq+1ba13NQNjP',
  't5UahiX3eV5HLQXXn3MjkQ1T30hOjY14dTCRDfyzXGGNYX8vnWwEjrhuwQBG5vrIGDXMv9rnAM2RzeOVgs4HdkEXY/nSkD1drxm7MtUGQhKk',
  'L4wLLyXSpGnYM+3EJsb4kwOqvUDD+1+LxqwBFoW6p6olbVL6Sn3ykRLeLLrlSNQuJxNWB8CVXFa3tJlMB0sQOTTcNdZTplI37pYVUdHT50xb',
  '/LEoYGDmafdrSGmrxkUcLG4Uw+0/eYOFDCDkD0zugcKeSY9FNx7IKRM0bLJ7eaPiYu2kH07hjswFT0Ti7GHO+Zq5hm2SJFoTmDw28mhUH9/l',
  'qTqgNZW3PMpdI5u2n/Eo0qnWC5bV7g83bp3h1wfKVMq2BlBfWa+LFGTbt92yYig6uCSOu+JAgbss/XlXoLH32wqfFXTebYDOIF42vwBJCfhY',
  'jN2A2UaEOIjmb39WYyvRFJbfEzYxDIBXp3YSeu3hdveaBqMCITeGfY/4xJr5bHTgTB+t2kaLCEJGJ1DxbIH/OAEFS/D8eu1hOZ60259ia2Up',
  'XoUsN/98K6w7wniRUSQUrU6JCt/xmf1qR2+5zn4kL4allKIaJYt6pSSiLUd0uLY2+ohnlSOYxSHxz8gdCUbsc8khJ+oPuoAYx40hfs74D5q8',
  'UHtimHm8y7ZVDPxyhOp8B36Dh68BGFUT3df7V6ysLbT+8fteKaPx67D3iedCbzOZJ6ti1ACcG7XkknvV+PLUPrGzDtmFQAEkzeLIbmIXrsgQ',
  'TscYth3K48sOalZyxFKvQww/HKRSEub0J7tW+31Cu1ALd4N0sbH/CkTGyVJ4EwAAAE3TvGgYnqc2AAGnB4BQAAAQsYn0scRn+wIAAAAABFla',
].join('')
/** lzma.compress of one line with check=CHECK_SHA256, with a dictionary of 128 MiB, and of 1 MiB of spaces. */
const sha256 = [
  '/Td6WFoAAArh+wyhAgAhARYAAAB0L+WjAQAMeyJ0ZXh0IjoiYSJ9CgAAAAAxTTqXH298Yj59zrVG3d4Gh+QenfArDtxS3bSnp39X4wABPQ0o',
  'gd80GJtLmgEAAAAAClla',
].join('')
const wide = ['/Td6WFoAAATm1rRGAgAhAR4AAACbB1FmAQAMeyJ0ZXh0IjoiYSJ9CgAAAABRFKrrn09F1AABJQ1xGcS2H7bzfQEAAAAABFla'].join(
  '',
)
const spaces = [
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj7///ANldABBv+7/+o7Fe5fg/sqomVfhocEFwFQ+N/R5MG4pCtxn0aRhxrmYjiopNL6MN2X+m44wj',
  'EVPgWRjFdYrid/i2lH8MasDedElk4ulcU7IE2PdEDKtfDW1G6eXDdoi3llestk3haR1v+0uIEGxCy4g/XACP0E6vJiiUcR89jyThcJ6nI1/s',
  'KMuF0ZWYin4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvul2rFnk5VsFCPnH2q38+1Iq',
  '9+SVJQAAAAAA+deQ8Nzo7OQAAfUBgIBAAHmXf0exxGf7AgAAAAAEWVo=',
].join('')

const texts = documents(60, 7)
const decode = (base64: string): Buffer => Buffer.from(base64, 'base64')

const shards: Record<string, { path: string; content: Buffer }> = {
  xz: { path: 'a.jsonl.xz', content: decode(single) },
  'xz of several streams with padding between them': { path: 'a.jsonl.xz', content: decode(several) },
  'tar in xz': { path: 'a.tar.xz', content: decode(inTar) },
}

const recordsOf = async (path: string, content: Buffer) => {
  const blocks = await collect([memoryShard(path, content)])
  return {
    found: blocks.flatMap((each) => records(each)),
    refused: blocks.flatMap(({ block }) => block.rejected),
  }
}

for (const [name, { path, content }] of Object.entries(shards)) {
  t.test(`${name}: every record comes whole and once, however the bytes arrive`, async (t) => {
    const blocks = await collect([memoryShard(path, content)])
    t.strictSame(
      blocks.flatMap((each) => records(each)),
      texts,
    )
    t.strictSame(
      blocks.flatMap(({ block }) => block.rejected),
      [],
    )
    for (const chunkBytesMax of [1, 3, 100, 1e6]) {
      const again = await collect([memoryShard(path, content, 5, chunkBytesMax)])
      t.strictSame(summary(again), summary(blocks), `${chunkBytesMax}`)
    }
  })

  t.test(`${name}: resuming from any block gives exactly the rest`, async (t) => {
    const { blocks, broken } = await brokenCursors([memoryShard(path, content)])
    t.ok(blocks > 8)
    t.strictSame(broken, [])
  })

  t.test(`${name}: cut anywhere, it gives the complete records and one reject`, async (t) => {
    const end = content.length - 1
    for (let cut = end; cut > 0; cut -= 97) {
      const { found, refused } = await recordsOf(path, content.subarray(0, cut))
      t.strictSame(found, texts.slice(0, found.length), `cut at ${cut}`)
      // A tar is complete once its last member is there; a stream may end behind the first one and its padding.
      if (refused.length === 0) t.ok(name.includes('tar') ? found.length === 60 : found.length === 30, `cut at ${cut}`)
      else
        t.strictSame(
          refused.map(({ reason }) => reason),
          ['shard-truncated'],
          `cut at ${cut}`,
        )
    }
  })

  t.test(`${name}: a wrong byte is detected, and the records before it are kept`, async (t) => {
    for (let at = 6; at < content.length; at += 113) {
      const wrong = Buffer.from(content)
      wrong[at] = (wrong[at] as number) ^ 0x55
      const blocks = await collect([memoryShard(path, wrong, 1, 100)])
      t.strictSame(summary(await collect([memoryShard(path, wrong, 2, 7000)])), summary(blocks), `byte ${at}`)
      const refused = blocks.flatMap(({ block }) => block.rejected)
      const found = blocks.flatMap((each) => records(each))
      if (!name.includes('tar') || found.length < 60) t.ok(refused.length > 0, `byte ${at} is noticed`)
    }
  })
}

t.test('xz is found by its first bytes, whatever the name', async (t) => {
  for (const [path, content] of [
    ['part', single],
    ['a.txz', inTar],
    ['a.jsonl', single],
  ] as const) {
    t.strictSame(await recordsOf(path, decode(content)), { found: texts, refused: [] }, path)
  }
})

t.test('several shards of xz are read in turn, none waits for another', { timeout: 20_000 }, async (t) => {
  const open = Array.from({ length: 4 }, (_, index) => memoryShard(`${index}.jsonl.xz`, decode(single), index + 1))
  const blocks = await collect(open, { shardsOpenMax: 4, order: 'interleaved' })
  t.equal(blocks.flatMap((each) => records(each)).length, 4 * texts.length)
  t.strictSame((await brokenCursors(open, { shardsOpenMax: 4, blockBytes: 2000 })).broken, [])
})

t.test('an unsupported xz feature is one reject that says what to do', async (t) => {
  for (const [content, words] of [
    [decode(sha256), 'SHA-256'],
    [decode(wide), 'the dictionary is over 64 MiB'],
  ] as const) {
    const { found, refused } = await recordsOf('a.jsonl.xz', content)
    t.strictSame(found, [])
    t.equal(refused.length, 1)
    t.equal(refused[0]?.reason, 'shard-unsupported')
    t.match(refused[0]?.detail, words)
    t.match(refused[0]?.detail, 'unpack it first: xz -d FILE')
  }
})

t.test('bytes after the last stream of xz are damage, and cost no record', async (t) => {
  const { found, refused } = await recordsOf('a.jsonl.xz', Buffer.concat([decode(single), Buffer.from('what is this')]))
  t.strictSame(found, texts)
  t.strictSame(
    refused.map(({ reason }) => reason),
    ['shard-corrupt'],
  )
})

t.test('an xz bomb is refused without being held in memory', async (t) => {
  const bomb = Buffer.concat(Array.from({ length: 150 }, () => decode(spaces)))
  const blocks = await collect([memoryShard('a.jsonl.xz', bomb, 1, 1e6)], { recordBytesMax: 1000 })
  t.strictSame(
    blocks.flatMap(({ block }) => block.rejected.map(({ reason }) => reason)),
    ['shard-corrupt'],
  )
  t.equal(
    blocks.reduce((sum, { block }) => sum + block.bytes.byteLength, 0),
    0,
  )
})
