import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { settingDescriptions } from '../../src/config/describe-settings.js'
import { readText } from './files.js'

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly spec: Spec
}

/** The parts of the kinds of objects that the tests use. */
interface Spec {
  readonly replicas: number
  readonly selector: unknown
  readonly podSelector: unknown
  readonly minAvailable: number
  readonly ports: ReadonlyArray<{ readonly targetPort: string }>
  readonly template: { readonly metadata: { readonly labels: unknown }, readonly spec: Pod }
}

interface Pod {
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [Container]
}

interface Container {
  readonly envFrom: unknown
  readonly ports: ReadonlyArray<{ readonly name: string, readonly containerPort: number }>
  readonly livenessProbe: unknown
  readonly readinessProbe: unknown
  readonly resources: unknown
  readonly securityContext: unknown
  readonly volumeMounts: readonly [{ readonly mountPath: string }]
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } }
}

const dockerfile = readText('Dockerfile')
const settings = new Set<string>(settingDescriptions.map(({ name }) => name))

function manifests (file: string): Manifest[] {
  return parseAllDocuments(readText(`docker/kubernetes/${file}`)).map((document) => {
    t.same([...document.errors, ...document.warnings], [], file)
    return document.toJS() as Manifest
  })
}

function ofKind (all: readonly Manifest[], kind: string): Manifest {
  const [found, ...more] = all.filter((each) => each.kind === kind)
  if (found === undefined || more.length > 0) throw new Error(`one ${kind} was expected`)
  return found
}

for (const [file, kind] of [['fleet.yaml', 'Deployment'], ['single.yaml', 'StatefulSet']] as const) {
  const all = manifests(file)
  const { spec } = ofKind(all, kind)
  const pod = spec.template.spec
  const [container] = pod.containers

  t.test(`${file}: the pods are hardened, and have a volume for the files that they write`, async (t) => {
    t.match(pod, { automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } } })
    t.match(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } })
    t.match(dockerfile, new RegExp(`DATA_DIR=${container.volumeMounts[0].mountPath}\\b`))
    t.match(container.resources, { limits: { memory: /^\d+Mi$/ } })
  })

  t.test(`${file}: a liveness probe and a readiness probe ask different paths`, async (t) => {
    t.match(container.livenessProbe, { httpGet: { path: '/health/live' } })
    t.match(container.readinessProbe, { httpGet: { path: '/health/ready' } })
    for (const { targetPort } of all.filter(({ kind }) => kind === 'Service').flatMap(({ spec }) => spec.ports)) {
      const port = container.ports.find(({ name }) => name === targetPort)
      t.match(dockerfile, new RegExp(`^EXPOSE .*\\b${String(port?.containerPort)}\\b`, 'm'), targetPort)
    }
  })

  t.test(`${file}: every selector selects these pods`, async (t) => {
    const { labels } = spec.template.metadata
    t.same(spec.selector, { matchLabels: labels })
    for (const each of all.filter(({ kind }) => kind === 'Service')) t.same(each.spec.selector, labels, each.metadata.name)
    t.same(ofKind(all, 'NetworkPolicy').spec.podSelector, { matchLabels: labels })
  })

  t.test(`${file}: every variable is a setting, and none of them is a secret`, async (t) => {
    for (const name of Object.keys(ofKind(all, 'ConfigMap').data ?? {})) {
      t.ok(settings.has(name), name)
      t.notMatch(name, /SECRET|TOKEN$|JOURNAL/)
    }
    t.same(container.envFrom, [{ configMapRef: { name: ofKind(all, 'ConfigMap').metadata.name } }, { secretRef: { name: 'tierhook' } }])
  })

  t.test(`${file}: the grace period is longer than what stopping may take`, async (t) => {
    const shutdownMs = Number(settingDescriptions.find(({ name }) => name === 'SHUTDOWN_TIMEOUT_MS')?.fallback)
    const beforeMs = Number(container.lifecycle?.preStop.exec.command[1] ?? 0) * 1000
    t.ok(pod.terminationGracePeriodSeconds * 1000 > shutdownMs + beforeMs + 1000)
  })
}

t.test('the example of a secret contains only settings', async (t) => {
  const [secret] = manifests('secret.example.yaml')
  const names = Object.keys(secret?.stringData ?? {})
  t.ok(names.length > 0)
  for (const name of names) t.ok(settings.has(name), name)
})

t.test('a fleet keeps two replicas during an update, and a single replica never becomes two', async (t) => {
  const fleet = manifests('fleet.yaml')
  t.match(ofKind(fleet, 'Deployment').spec, { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0 } } })
  t.equal(ofKind(fleet, 'PodDisruptionBudget').spec.minAvailable, 1)
  t.match(ofKind(manifests('single.yaml'), 'StatefulSet').spec, { replicas: 1, volumeClaimTemplates: [{ spec: { accessModes: ['ReadWriteOncePod'] } }] })
})
