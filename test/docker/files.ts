import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { readFileSync } from 'node:fs'
import { join } from 'node:path/posix'
import { parse } from 'yaml'

const root = new URL('../../', import.meta.url)

/** A file of the project, by its path from the root. */
export function readText (path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** A YAML or JSON file of the project, which has to have the parts that `schema` names. */
export function readData<T extends TSchema> (path: string, schema: T): Static<T> {
  const value: unknown = parse(readText(path), { merge: true })
  const [fault] = [...Value.Errors(schema, value)]
  if (fault !== undefined) throw new Error(`${path}${fault.path}: ${fault.message}`)
  return Value.Decode(schema, value)
}

const names = Type.Array(Type.String())
const ComposeSchema = Type.Object({
  services: Type.Record(Type.String(), Type.Object({
    image: Type.String(),
    hostname: Type.Optional(Type.String()),
    profiles: Type.Optional(names),
    user: Type.Optional(Type.String()),
    init: Type.Optional(Type.Boolean()),
    read_only: Type.Literal(true),
    cap_drop: names,
    cap_add: Type.Optional(names),
    security_opt: names,
    restart: Type.String(),
    stop_grace_period: Type.Optional(Type.String()),
    entrypoint: Type.Optional(names),
    command: Type.Optional(names),
    env_file: Type.Optional(Type.Array(Type.Object({ path: Type.String(), required: Type.Boolean() }))),
    environment: Type.Optional(Type.Record(Type.String(), Type.String())),
    ports: Type.Optional(names),
    networks: names,
    volumes: names,
    tmpfs: Type.Optional(names),
    healthcheck: Type.Optional(Type.Object({ test: names })),
    deploy: Type.Object({ resources: Type.Object({ limits: Type.Object({ memory: Type.String(), pids: Type.Integer() }) }) }),
    logging: Type.Object({ driver: Type.String(), options: Type.Record(Type.String(), Type.String()) })
  })),
  networks: Type.Record(Type.String(), Type.Object({ internal: Type.Optional(Type.Boolean()) })),
  volumes: Type.Record(Type.String(), Type.Null())
})

/** The compose file's services by name, its networks and its volumes. */
export const compose = readData('docker/compose.yaml', ComposeSchema)

/** One service of the compose file. */
export function serviceNamed (name: string): (typeof compose.services)[string] {
  const service = compose.services[name]
  if (service === undefined) throw new Error(`docker/compose.yaml has no service ${name}`)
  return service
}

/** Source, target and mode of a volume; of a source that can be set, what it is otherwise. */
export function partsOfVolume (volume: string): readonly string[] {
  return volume.replace(/^\$\{\w+:-(.*?)\}/, '$1').split(':')
}

/** Where a path inside a container lies in the project; `undefined` where nothing of the project is mounted there. */
export function mountedAt (service: string, path: string): string | undefined {
  for (const volume of serviceNamed(service).volumes) {
    const [source = '', target = ''] = partsOfVolume(volume)
    if (source.startsWith('.') && (path === target || path.startsWith(`${target}/`))) return join('docker', source, path.slice(target.length))
  }
}

/** The anchors of a Markdown file's headings, as they are made on GitHub. */
export function anchorsOf (path: string): ReadonlySet<string> {
  return new Set([...readText(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')))
}
