/**
 * Builds the pages of web/ into one file, dist/web/page.html: its script and style are inline, and its policy allows that
 * script only. Does nothing if the file was built from the same sources.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'dist/web/page.html')
const mark = join(root, 'dist/web/.sources')

/** Packages that are part of the bundle or make it. */
const packages = ['preact', 'echarts', 'zrender', 'vite', 'esbuild', 'rollup']

function sourcesHash() {
  const hash = createHash('sha256')
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  hash.update(JSON.stringify(packages.map((name) => locked[`node_modules/${name}`]?.version)))
  // Types that the pages import, and the texts in both languages.
  const files = [
    ...readdirSync(join(root, 'web'), { recursive: true }).map((name) => `web/${name}`),
    ...['pages/view.ts', 'report/series-point.ts', 'server-bench/results.ts', 'server-bench/noise.ts'].map(
      (name) => `lib/${name}`,
    ),
    ...['pages.ts', 'nouns.ts', 'bench-page.ts'].map((name) => `lib/language/zh/${name}`),
    'scripts/build-web.mjs',
  ]
  for (const file of files.sort()) {
    if (!/\.[a-z]+$/.test(file)) continue
    hash.update(`${file}\0`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

const wanted = sourcesHash()
if (!existsSync(page) || !existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'web')], {
    stdio: 'inherit',
  })
  const { build } = await import('vite')
  const { output } = await build({
    root: join(root, 'web'),
    configFile: false,
    logLevel: 'warn',
    esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
    build: {
      write: false,
      target: 'es2022',
      cssCodeSplit: false,
      modulePreload: false,
      chunkSizeWarningLimit: 2000,
      rollupOptions: {
        input: join(root, 'web/src/main.tsx'),
        output: { format: 'iife', inlineDynamicImports: true },
      },
    },
  })
  const script = output
    .find(({ type }) => type === 'chunk')
    .code.replaceAll('</script', '<\\/script')
    .trim()
  const style = output.find(({ fileName }) => fileName.endsWith('.css')).source.trim()
  const sha256 = createHash('sha256').update(script).digest('base64')
  // ECharts sets style attributes. `connect-src 'self'` is the local server of `ui`; a file on disk has none.
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${sha256}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const template = readFileSync(join(root, 'web/page.html'), 'utf8')
  const parts = { policy, style, script }
  const text = template.replace(/%(policy|style|script)%/g, (_, name) => parts[name])
  mkdirSync(join(root, 'dist/web'), { recursive: true })
  writeFileSync(page, text)
  writeFileSync(mark, wanted)
}
