/** The manifests in k8s/: their structure, and that they call kun-stream as it is. They were not tried on a cluster. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { jobStates } from '../lib/queue/job-states.js'
import { queuePrefix } from '../lib/queue/queue-address.js'
import { projectRoot } from './support/root.js'

const folder = join(projectRoot, 'k8s')
const read = (path: string) => parse(readFileSync(join(folder, path), 'utf8'))

t.test('every file that a kustomization names is there, and every file is named', (t) => {
  for (const name of ['base', 's3', 'queue']) {
    const { resources, patches = [] } = read(`${name}/kustomization.yaml`) as {
      resources: string[]
      patches?: { path: string }[]
    }
    const named = [...resources.filter((path) => path.endsWith('.yaml')), ...patches.map(({ path }) => path)]
    const found = readdirSync(join(folder, name)).filter((path) => path !== 'kustomization.yaml')
    t.same(found.sort(), named.sort(), name)
    for (const path of found) t.match(read(`${name}/${path}`), { apiVersion: String, kind: String, metadata: Object })
  }
  t.end()
})

t.test('the job divides the units among its indices and gives a pod the time that it needs', (t) => {
  const { spec } = read('base/job.yaml')
  const { containers, initContainers, terminationGracePeriodSeconds, restartPolicy, volumes } = spec.template.spec
  const [generate] = containers
  const parts = generate.env.find(({ name }: { name: string }) => name === 'PARTS').value
  t.equal(Number(parts), spec.completions)
  t.ok(spec.parallelism <= spec.completions)
  t.equal(spec.completionMode, 'Indexed')
  // What podFailurePolicy and FailIndex demand.
  t.equal(restartPolicy, 'Never')
  t.ok(spec.backoffLimitPerIndex > 0)
  t.ok(terminationGracePeriodSeconds >= 120)
  t.equal(initContainers[0].restartPolicy, 'Always')
  for (const { volumeMounts } of [...containers, ...initContainers]) {
    for (const { name } of volumeMounts) t.ok(volumes.some((volume: { name: string }) => volume.name === name))
  }
  const rules = spec.podFailurePolicy.rules.flatMap(({ onExitCodes }: { onExitCodes?: { values: number[] } }) => [
    ...(onExitCodes?.values ?? []),
  ])
  t.same(rules, [2])
  t.end()
})

t.test('KEDA counts the lists in which BullMQ keeps the units of this queue', (t) => {
  const { spec } = read('queue/scaled-object.yaml')
  const { spec: deployment } = read('queue/deployment.yaml')
  t.equal(spec.scaleTargetRef.name, read('queue/deployment.yaml').metadata.name)
  const [worker] = deployment.template.spec.containers
  const name = / --queue-name (\S+)/.exec(String(worker.args))?.[1]
  const triggers = spec.triggers as { name: string; metadata: Record<string, string> }[]
  const lists = [...jobStates.waiting, ...jobStates.active].map((state) => `${queuePrefix}:${name}:${state}`)
  t.strictSame(triggers.map(({ metadata }) => metadata.listName).sort(), lists.sort())
  const terms = spec.advanced.scalingModifiers.formula.split(' + ')
  t.strictSame(terms.sort(), triggers.map((trigger) => trigger.name).sort())
  for (const { volumeMounts } of [worker, ...deployment.template.spec.initContainers]) {
    for (const { name } of volumeMounts)
      t.ok(deployment.template.spec.volumes.some((volume: { name: string }) => volume.name === name))
  }
  t.same(deployment.selector.matchLabels, deployment.template.metadata.labels)
  t.end()
})

t.test('the options that a pod is started with exist', (t) => {
  for (const [path, command] of [
    ['base/job.yaml', 'generate'],
    ['queue/deployment.yaml', 'worker'],
  ] as const) {
    const [{ args }] = read(path).spec.template.spec.containers
    const page = readFileSync(join(projectRoot, `docs/commands/${command}.md`), 'utf8')
    const options = [...String(args).matchAll(/ (--[a-z-]+)/g)].map((match) => match[1] as string)
    t.ok(options.length >= 3)
    for (const option of options) t.ok(page.includes(`\`${option}`), option)
  }
  t.end()
})
