import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

// Writes sbom.json, a software bill of materials in CycloneDX: what is installed and runs in production. To be run by npm.

const { npm_execpath: npm, npm_package_name: name } = process.env
if (npm === undefined) throw new Error('Run it as npm run sbom')
const text = execFileSync(process.execPath, [npm, 'sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'], { encoding: 'utf8', maxBuffer: 1e9 })
const bill = JSON.parse(text)

// With --omit dev npm would leave out what something for development needs too, such as ajv and uuid. So all is asked for, and the lock file
// says what is for development alone.
const locked = Object.entries(JSON.parse(readFileSync('package-lock.json', 'utf8')).packages)
const runs = new Set(locked.filter(([, { dev }]) => dev !== true).map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`))
const kept = bill.components.filter((component) => runs.has(`${component.name}@${component.version}`))
const refs = new Set(kept.map((component) => component['bom-ref']))
bill.components = kept.map(({ properties = [], ...component }) => ({
  // One that is installed twice may have it from the other place.
  ...component, properties: properties.filter((each) => each.name !== 'cdx:npm:package:development')
}))
const root = bill.metadata.component
bill.dependencies = bill.dependencies
  .filter(({ ref }) => refs.has(ref) || ref === root['bom-ref'])
  .map(({ dependsOn, ...each }) => ({ ...each, dependsOn: dependsOn.filter((ref) => refs.has(ref)) }))
// Npm calls it by the folder that it lies in.
root.name = name

writeFileSync('sbom.json', `${JSON.stringify(bill, null, 2)}\n`)
console.log(`sbom.json: ${bill.components.length} packages`)
