/** Detects unsupported formats by their first bytes or name, and returns the details of their rejects. */

/** Bytes needed to detect a format: the header of a tar is the longest. */
export const signatureBytes = 512

interface Signature {
  readonly bytes: readonly number[]
  readonly format: string
  readonly advice: string
}

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')]
const unpack = (command: string) => `unpack it first: ${command}`

const signatures: readonly Signature[] = [
  { bytes: ascii('BZh'), format: 'bzip2', advice: unpack('bzip2 -d FILE') },
  { bytes: ascii('PK\x03\x04'), format: 'zip', advice: unpack('unzip FILE') },
  { bytes: ascii('PK\x05\x06'), format: 'zip', advice: unpack('unzip FILE') },
  { bytes: ascii('PK\x07\x08'), format: 'zip', advice: unpack('unzip FILE') },
  { bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], format: '7z', advice: unpack('7z x FILE') },
  { bytes: [...ascii('Rar!'), 0x1a, 0x07], format: 'rar', advice: unpack('unrar x FILE') },
  { bytes: [0x04, 0x22, 0x4d, 0x18], format: 'lz4', advice: unpack('lz4 -d FILE') },
  { bytes: [0x02, 0x21, 0x4c, 0x18], format: 'lz4 (legacy)', advice: unpack('lz4 -d FILE') },
  { bytes: ascii('LZIP'), format: 'lzip', advice: unpack('lzip -d FILE') },
  { bytes: [0x1f, 0x9d], format: 'compress (.Z)', advice: unpack('uncompress FILE') },
  { bytes: [0xff, 0x06, 0x00, 0x00, ...ascii('sNaPpY')], format: 'snappy', advice: 'decompress it first' },
  { bytes: ascii('PARE'), format: 'Parquet with an encrypted footer', advice: 'decrypt it first' },
  { bytes: ascii('ORC'), format: 'ORC', advice: 'convert it to Parquet or JSON Lines' },
  { bytes: ascii('Obj\x01'), format: 'Avro', advice: 'convert it to Parquet or JSON Lines' },
  { bytes: ascii('SQLite format 3\0'), format: 'SQLite', advice: 'convert it to Parquet or JSON Lines' },
  { bytes: [0x89, ...ascii('HDF\r\n')], format: 'HDF5', advice: 'convert it to Parquet or JSON Lines' },
]

/** Formats without a signature, by extension. */
const extensions: Readonly<Record<string, Omit<Signature, 'bytes'>>> = {
  br: { format: 'brotli', advice: unpack('brotli -d FILE') },
  lzma: { format: 'lzma', advice: unpack('xz -d FILE') },
  lzo: { format: 'lzo', advice: unpack('lzop -d FILE') },
}

/** Names of parts made by split and archivers: a.tar.gz.00, a.tar.gz.aa, a.zip.001, a.part1, a.z01. */
const partName =
  /\.(?:gz|tgz|zst|xz|bz2|tar|zip|7z|rar|parquet)\.(?:part)?(?:\d{1,4}|(?!gz|xz|br|bz|lz|md)[a-z]{2})$|\.part\d{1,4}$|\.[zr]\d\d$/i

/** Returns the detail of the reject for a known but unsupported format; null for any other. */
export function unsupportedFormat(head: Buffer): string | null {
  const found = signatures.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte))
  return found === undefined ? null : describe(found)
}

/** The same by name, for a shard that does not begin like JSON. */
export function unsupportedName(path: string): string | null {
  if (partName.test(path)) return 'a part of a split file by its name; join the parts first: cat FILE.* > FILE'
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  const found = Object.hasOwn(extensions, extension) ? extensions[extension] : undefined
  return found === undefined ? null : describe(found)
}

function describe({ format, advice }: Omit<Signature, 'bytes'>): string {
  return `${format} is not read; ${advice}`
}
