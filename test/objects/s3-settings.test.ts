import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { processSecrets } from '../../lib/core/redaction.js'
import { addressingOf, objectUrl, parseS3Address } from '../../lib/objects/s3/address.js'
import { awsEndpoint, s3Settings } from '../../lib/objects/s3/settings.js'
import { canonicalQuery, emptyHash, signed } from '../../lib/objects/s3/signature.js'

const home = { HOME: '/nonexistent' }

t.test('signatures are those of the examples that AWS publishes', async (t) => {
  // "Signature Calculations for the Authorization Header", examples: bucket lifecycle, and list objects.
  const credentials = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  }
  const context = { credentials, region: 'us-east-1', nowMs: Date.UTC(2013, 4, 24) }
  const signatureOf = (query: Record<string, string>): string | undefined => {
    const url = objectUrl(new URL('https://s3.amazonaws.com'), 'examplebucket', '', 'virtual', canonicalQuery(query))
    const { authorization } = signed({ method: 'GET', url, headers: {}, bodyHash: emptyHash }, context)
    return /Signature=(\w+)$/.exec(authorization ?? '')?.[1]
  }
  t.equal(signatureOf({ lifecycle: '' }), 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543')
  t.equal(
    signatureOf({ prefix: 'J', 'max-keys': '2' }),
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  )
})

t.test('an address has a bucket and a prefix', async (t) => {
  t.same(parseS3Address('s3://kun'), { bucket: 'kun', prefix: '' })
  t.same(parseS3Address('s3://kun//a/b/'), { bucket: 'kun', prefix: 'a/b' })
  for (const wrong of ['s3://', 's3:///a', 's3://a', 's3://a b/c', 's3://a..b/c', 'kun/a']) {
    t.throws(() => parseS3Address(wrong), { code: 'KUN_INVALID_OPTION', exitCode: 2 })
  }
})

t.test('the bucket is in the host name where services want it, else in the path', async (t) => {
  const style = (endpoint: string, bucket = 'kun') => addressingOf(new URL(endpoint), bucket)
  t.equal(style('https://s3.eu-west-3.amazonaws.com'), 'virtual')
  t.equal(style('https://oss-cn-hangzhou.aliyuncs.com'), 'virtual')
  t.equal(style('https://s3.eu-west-3.amazonaws.com', 'with.dots'), 'path', 'no certificate covers it')
  t.equal(style('http://127.0.0.1:9000'), 'path')
  t.equal(style('https://minio.example.org'), 'path')
  t.equal(
    objectUrl(new URL('https://h/base/'), 'kun', 'a b/中+(1).txt', 'path').href,
    'https://h/base/kun/a%20b/%E4%B8%AD%2B%281%29.txt',
  )
  t.equal(objectUrl(new URL('https://h:1'), 'kun', 'a', 'virtual').href, 'https://kun.h:1/a')
  t.equal(awsEndpoint('cn-north-1').href, 'https://s3.cn-north-1.amazonaws.com.cn/')
})

t.test('settings come from the variables, then from the profile', async (t) => {
  const directory = t.testdir()
  writeFileSync(
    join(directory, 'config'),
    '# c\n[default]\nregion = eu-central-1\n[profile oss]\nregion = cn-hangzhou\n' +
      'endpoint_url = https://oss-cn-hangzhou.aliyuncs.com\ns3 =\n  addressing_style = virtual\nother = 1\n',
  )
  writeFileSync(
    join(directory, 'credentials'),
    '[default]\naws_access_key_id = id-of-default\naws_secret_access_key = secret-of-default\n',
  )
  const files = {
    ...home,
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
  }
  t.match(s3Settings(files), { endpoint: null, region: 'eu-central-1', credentials: { accessKeyId: 'id-of-default' } })
  t.match(s3Settings({ ...files, AWS_PROFILE: 'oss' }), {
    endpoint: new URL('https://oss-cn-hangzhou.aliyuncs.com'),
    region: 'cn-hangzhou',
    addressing: 'virtual',
    credentials: null,
  })
  const own = { AWS_ACCESS_KEY_ID: 'own-id', AWS_SECRET_ACCESS_KEY: 'own-secret-key', AWS_REGION: 'x-1' }
  t.match(s3Settings({ ...files, ...own }), { region: 'x-1', credentials: { accessKeyId: 'own-id' } })
  t.equal(processSecrets.text('a own-secret-key b secret-of-default'), 'a *** b ***')
  t.equal(s3Settings(home).credentials, null)
})

t.test('settings that cannot be right are refused, without the secret in them', async (t) => {
  const cases = [
    [{ AWS_PROFILE: 'none' }, 'KUN_STORE_ACCESS', /AWS_PROFILE is none/],
    [{ AWS_ACCESS_KEY_ID: 'id' }, 'KUN_STORE_ACCESS', /only one of/],
    [{ AWS_ENDPOINT_URL: 'minio:9000' }, 'KUN_INVALID_OPTION', /must begin with http/],
    [{ AWS_ENDPOINT_URL: 'http://me:hidden-word@h' }, 'KUN_INVALID_OPTION', /not shown/],
    [{ AWS_ENDPOINT_URL: 'ftp://me:hidden-word@h' }, 'KUN_INVALID_OPTION', /must begin with http/],
    [{ AWS_REGION: 'a/b' }, 'KUN_INVALID_OPTION', /AWS_REGION/],
    [{ AWS_S3_ADDRESSING_STYLE: 'no' }, 'KUN_INVALID_OPTION', /path, virtual or auto/],
  ] as const
  for (const [environment, code, message] of cases) {
    t.throws(() => s3Settings({ ...home, ...environment }), { code, message })
    try {
      s3Settings({ ...home, ...environment })
    } catch (error) {
      t.notMatch((error as Error).message, /hidden-word/)
    }
  }
})
