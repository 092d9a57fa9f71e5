/**
 * Bundles the compiled modules of dist/lib and dist/bench, with the packages that are plain JavaScript, into dist/bundle:
 * a command loads a few files in place of several hundred. Entries are the library, the command, the benches, and every
 * file that is the entry of a thread or of a process. dist/bundle has the folders of dist, so that a path relative to
 * `import.meta.url` is the same in both. Does nothing if the bundle is newer than what it is built from.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const bundle = join(dist, 'bundle')
const start = join(bundle, 'lib/cli/start.js')
/** Names of entries in the text until their depth is known. */
const placeholder = '@bundle/'

/** Packages that are part of the bundle, with those that they import. The others load files of their own or are rarely used. */
const packages = [
  'apache-arrow',
  'commander',
  'csv-parse',
  'es-module-lexer',
  'fastest-levenshtein',
  'fzstd',
  'hyparquet',
  'hyparquet-compressors',
  'hyparquet-writer',
  'picocolors',
  'picomatch',
  'string-width',
  'tinyglobby',
  'undici',
  'xxhash-wasm',
  'yaml',
  'zod',
]

function filesIn(folder, ending) {
  return readdirSync(join(dist, folder), { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(dist, folder, name))
}

function isCurrent() {
  if (!existsSync(start)) return false
  const builtAt = statSync(start).mtimeMs
  const from = [
    ...['.tsbuildinfo', 'web/page.html'].map((name) => join(dist, name)),
    ...filesIn('lib', '.wasm'),
    ...['package-lock.json', 'scripts/build-bundle.mjs'].map((name) => join(root, name)),
  ]
  return from.every((path) => !existsSync(path) || statSync(path).mtimeMs <= builtAt)
}

/** Files that are started by name: `new URL('./x.js', import.meta.url)`, or themselves as a thread. */
function startedFiles(files) {
  return files.flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    const named = [...text.matchAll(/new URL\(\s*'([^':]+\.js)',\s*import\.meta\.url\)/g)].map(([, name]) =>
      join(dirname(file), name),
    )
    return /new Worker\(\s*new URL\(import\.meta\.url\)/.test(text) ? [file, ...named] : named
  })
}

/**
 * The text of string-width with its segmenter and patterns made on first use: the pattern of all emoji alone takes 30 ms,
 * more than a small command spends on anything else, and text-width.ts rarely needs it.
 */
function withLazyPatterns(path) {
  const text = readFileSync(path, 'utf8')
  const lazy = text
    .replace(/^const segmenter = (new Intl\.Segmenter\(\));$/m, 'let madeSegmenter;')
    .replace('segmenter.segment(', '(madeSegmenter ??= new Intl.Segmenter()).segment(')
    .replaceAll(/^const (\w+Regex) = \/(.*)\/v;$/gm, (_, name, pattern) => {
      return `let ${name}Made;\nconst ${name} = () => ${name}Made ??= new RegExp(${JSON.stringify(pattern)}, 'v');`
    })
    .replaceAll(/\b(visibleCharacterRegex|spacingMarkRegex|rgiEmojiRegex)(?=\.|\))/g, '$1()')
  if (lazy.match(/RegexMade;/g)?.length !== 3 || !lazy.includes('(madeSegmenter ??=')) {
    throw new Error(`${path} has changed: its patterns would be made when a command starts`)
  }
  return lazy
}

/** What is used of undici. All of it, with its fetch, mocks and caches, takes three times as long to load. */
const undiciNames = ['Agent', 'EnvHttpProxyAgent', 'Pool', 'request']

/** Returns an index of undici with `undiciNames` alone, made of the lines of its own. */
function usedOfUndici(path) {
  const text = readFileSync(path, 'utf8')
  const lines = ['Dispatcher', 'Pool', 'Agent', 'EnvHttpProxyAgent', 'errors', 'util', 'api'].map((name) =>
    new RegExp(`^const ${name} = require\\('\\./lib/.*$`, 'm').exec(text),
  )
  const parts = [
    ...lines,
    /^const \{ InvalidArgumentError \} = errors$/m.exec(text),
    /^const \{ getGlobalDispatcher, .*require\('\.\/lib\/global'\)$/m.exec(text),
    /^Object\.assign\(Dispatcher\.prototype, api\)$/m.exec(text),
    /^function makeDispatcher .*?^\}$/ms.exec(text),
  ]
  if (parts.includes(null) || !/^module\.exports\.request = makeDispatcher\(api\.request\)$/m.test(text)) {
    throw new Error(`${path} has changed: usedOfUndici does not find its parts`)
  }
  const exported = 'module.exports = { Agent, EnvHttpProxyAgent, Pool, request: makeDispatcher(api.request) }'
  return [...parts.map(([part]) => part), exported].join('\n')
}

function checkUndiciNames(text, path) {
  const [, names = ''] = /(?:import|export) \{([^}]*)\} from 'undici'/.exec(text) ?? []
  const unknown = names.split(',').filter((name) => name.trim() !== '' && !undiciNames.includes(name.trim()))
  if (unknown.length > 0) throw new Error(`${path}: add ${unknown.join(',').trim()} to undiciNames`)
}

const own = {
  name: 'own modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      if (kind === 'entry-point' || path.startsWith('node:')) return undefined
      const isBundled =
        importer.includes('node_modules') || packages.some((name) => path === name || path.startsWith(`${name}/`))
      if (isBundled && kind === 'dynamic-import' && !importer.includes('node_modules'))
        // A package in CommonJS would have no named exports then.
        return { errors: [{ text: `import ${path} by a module of our own, and that module on demand` }] }
      return isBundled ? undefined : { path, external: true }
    })
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (path.endsWith('/node_modules/string-width/index.js')) return { contents: withLazyPatterns(path) }
      if (path.endsWith('/node_modules/undici/index.js'))
        return { contents: usedOfUndici(path), resolveDir: dirname(path) }
      if (path.includes('node_modules')) return undefined
      const name = relative(dist, path).split(sep).join('/')
      const text = readFileSync(path, 'utf8')
      checkUndiciNames(text, path)
      const contents = text
        .replaceAll('import.meta.url', `new URL("${placeholder}${name}", import.meta.url).href`)
        // The name `z` would keep all of zod, with its messages in 50 languages.
        .replaceAll("import { z } from 'zod'", "import * as z from 'zod'")
      return { contents, resolveDir: dirname(path) }
    })
  },
}

/** Options of both builds. */
const common = {
  absWorkingDir: root,
  outbase: dist,
  outdir: bundle,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.18',
  charset: 'utf8',
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
  // Of CommonJS packages.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
  },
  plugins: [own],
}

/**
 * Threads that share no module with another file of the bundle: each loads one file. As entries of the other build they
 * would also cut what a command loads into more chunks. Custom filters may import the library, so they run in a thread of
 * the other build (workers/filters-worker.js).
 */
const aloneEntries = new Set(
  [
    'dedup/dedup-thread.js',
    'dedup/frames-thread.js',
    'dedup/index-thread.js',
    'sources/reading-thread.js',
    'workers/worker.js',
  ].map((name) => join(dist, 'lib', name)),
)

async function buildBundle() {
  const entries = new Set([
    ...['lib/index.js', 'lib/cli/start.js', 'bench/main.js'].map((name) => join(dist, name)),
    ...startedFiles([...filesIn('lib', '.js'), ...filesIn('bench', '.js')]),
  ])
  rmSync(bundle, { recursive: true, force: true })
  const together = [...entries].filter((entry) => !aloneEntries.has(entry))
  const builds = await Promise.all([
    build({ ...common, entryPoints: together, splitting: true, chunkNames: 'chunks/[hash]' }),
    build({ ...common, entryPoints: [...aloneEntries] }),
  ])
  const metafile = {
    inputs: Object.assign({}, ...builds.map((each) => each.metafile.inputs)),
    outputs: Object.assign({}, ...builds.map((each) => each.metafile.outputs)),
  }
  for (const path of Object.keys(metafile.outputs)) {
    const text = readFileSync(join(root, path), 'utf8')
    if (!text.includes(placeholder)) continue
    const depth = relative(bundle, join(root, path)).split(sep).length - 1
    writeFileSync(join(root, path), text.replaceAll(placeholder, '../'.repeat(depth) || './'))
  }
  for (const file of [
    ...filesIn('lib', '.wasm'),
    join(dist, 'web/page.html'),
    ...typesFrom(join(dist, 'lib/index.d.ts')),
  ]) {
    const to = join(bundle, relative(dist, file))
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(file, to)
  }
  writeFileSync(join(bundle, 'THIRD-PARTY.txt'), notices(Object.keys(metafile.inputs)))
}

/** The declarations that one imports, itself included. */
function typesFrom(entry) {
  const found = new Set([entry])
  for (const file of found) {
    const text = readFileSync(file, 'utf8')
    for (const [, name] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.js['"]/g)) {
      found.add(join(dirname(file), `${name}.d.ts`))
    }
  }
  return found
}

/** Of the C library in @bokuweb/zstd-wasm, which has no file for it. */
const zstdLicence = `zstd (BSD-3-Clause)

Copyright (c) Meta Platforms, Inc. and affiliates. All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following
conditions are met:

 * Redistributions of source code must retain the above copyright notice, this list of conditions and the following disclaimer.
 * Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.
 * Neither the name Facebook, nor Meta, nor the names of its contributors may be used to endorse or promote products derived
   from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT
NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL
THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES
(INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS
INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE
OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`

/** The licences of the packages in the bundle. */
function notices(inputs) {
  const folders = new Set()
  for (const input of inputs) {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)
    if (found) folders.add(found[0])
  }
  folders.add('node_modules/@bokuweb/zstd-wasm') // scripts/build-zstd.mjs makes lib/parquet/encoders/zstd.wasm of it
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    const words = files.sort().map((file) => readFileSync(join(root, folder, file), 'utf8').trim())
    if (words.length === 0 && license === undefined) throw new Error(`${name} has no licence`)
    return [`${name} ${version} (${license})`, ...words].join('\n\n')
  })
  texts.push(zstdLicence)
  return `Packages that are part of this bundle, and their licences.\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

if (!isCurrent()) await buildBundle()
