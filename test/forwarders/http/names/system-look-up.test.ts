import { writeFileSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isNotFound, type Found } from '../../../../src/forwarders/http/names/look-up.js'
import { createSystemLookUp, type SystemLookUpOptions } from '../../../../src/forwarders/http/names/system-look-up.js'
import { startNameServer, type NameAnswer } from '../../../support/name-server.js'

const never = new AbortController().signal

/** A simulated system: its files, its name server, and a C library that knows `mdns.local`. */
async function system (t: Test, { hosts = '', resolvConf = '', nsswitch = 'hosts: files dns', answer = () => 'unknown' }: { hosts?: string, resolvConf?: string, nsswitch?: string, answer?: (name: string, type: 'A' | 'AAAA') => NameAnswer }) {
  const folder = t.testdir({ hosts, 'resolv.conf': resolvConf, 'nsswitch.conf': nsswitch })
  const server = await startNameServer(answer)
  t.teardown(server.close)
  const askedSystem: string[] = []
  const options: SystemLookUpOptions = {
    hostsPath: join(folder, 'hosts'),
    resolvConfPath: join(folder, 'resolv.conf'),
    nsswitchPath: join(folder, 'nsswitch.conf'),
    servers: [server.address],
    async askSystem (name): Promise<Found> {
      askedSystem.push(name)
      if (name === 'mdns.local') return { addresses: [{ address: '10.9.9.9', family: 4 }], freshMs: 1000 }
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
    }
  }
  const lookUp = createSystemLookUp(options)
  return { folder, asked: server.asked, askedSystem, lookUp, of: async (name: string) => (await lookUp(name, never)).addresses.map(({ address }) => address) }
}

t.test('a name in the hosts file is found there, in any case, without a query', async (t) => {
  const hosts = '# 10.0.0.9 commented\n127.0.0.1\tlocalhost\n10.0.0.1  CRM.example crm # and so on\r\n::1 crm\n10.0.0.1 crm\nnonsense broken\n10.0.0.2 line'
  const { of, asked, folder } = await system(t, { hosts })
  t.strictSame(await of('crm.example'), ['10.0.0.1'])
  t.strictSame(await of('CRM'), ['10.0.0.1', '::1'])
  t.strictSame(await of('crm.'), ['10.0.0.1', '::1'])
  t.strictSame(await of('line'), ['10.0.0.2'])
  t.strictSame(await of('localhost'), ['127.0.0.1'])
  t.strictSame(asked, [])
  await t.rejects(of('commented'), { code: 'ENOTFOUND' })
  await t.rejects(of('broken'), { code: 'ENOTFOUND' })
  writeFileSync(join(folder, 'hosts'), '10.0.0.77 crm\n')
  t.strictSame(await of('crm'), ['10.0.0.77'], 'the hosts file is read again after it changed')
})

t.test('localhost is this machine, also without an entry in the hosts file', async (t) => {
  const { of, asked } = await system(t, {})
  t.strictSame(await of('localhost'), ['127.0.0.1', '::1'])
  t.strictSame(await of('crm.localhost'), ['127.0.0.1', '::1'])
  t.strictSame(asked, [])
})

t.test('both address families are queried, with IPv4 first, and fresh for as long as the server says', async (t) => {
  const { lookUp, askedSystem } = await system(t, { answer: () => ['10.0.0.1', '10.0.0.2', 'fd00::1'] })
  t.strictSame(await lookUp('crm.example', never), {
    addresses: [{ address: '10.0.0.1', family: 4 }, { address: '10.0.0.2', family: 4 }, { address: 'fd00::1', family: 6 }], freshMs: 1000
  })
  t.strictSame(askedSystem, [])
})

t.test('a name with addresses of one family only is found', async (t) => {
  const { of } = await system(t, { answer: (name) => [name.startsWith('old') ? '10.0.0.1' : 'fd00::1'] })
  t.strictSame(await of('old.example'), ['10.0.0.1'])
  t.strictSame(await of('new.example'), ['fd00::1'])
})

t.test('a server that never answers for IPv6, or fails for it, does not delay IPv4', async (t) => {
  for (const other of ['silent', 'fails', 'unknown'] as const) {
    const { of } = await system(t, { answer: (_name, type) => type === 'A' ? ['10.0.0.1'] : other })
    const before = performance.now()
    t.strictSame(await of('crm.example'), ['10.0.0.1'])
    t.ok(performance.now() - before < 900, 'the answer comes before the DNS query is repeated')
  }
})

t.test('a Kubernetes name is completed with the search domains, in their order', async (t) => {
  const resolvConf = 'nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5 edns0\n'
  const { of, asked, askedSystem } = await system(t, { resolvConf, answer: (name) => name === 'crm.other.svc.cluster.local' || name === 'api.example.com' ? ['10.1.1.1'] : 'unknown' })
  t.strictSame(await of('crm.other'), ['10.1.1.1'])
  const names = [...new Set(asked.map((each) => each.split(' ')[0]))]
  t.strictSame(names, ['crm.other.shop.svc.cluster.local', 'crm.other.svc.cluster.local'])
  t.strictSame(await of('api.example.com'), ['10.1.1.1'])
  t.strictSame(await of('api.example.com.'), ['10.1.1.1'], 'a name that ends with a dot gets no search domain')
  t.equal(asked.filter((each) => each === 'api.example.com.shop.svc.cluster.local A').length, 1)
  t.strictSame(askedSystem, [])
})

t.test('without ndots, a name with a dot is first queried unchanged', async (t) => {
  const { of, asked } = await system(t, { resolvConf: 'domain old.example\nsearch corp.example\n', answer: (name) => ['crm.corp.example', 'a.b'].includes(name) ? ['10.1.1.1'] : 'unknown' })
  t.strictSame(await of('crm'), ['10.1.1.1'])
  t.strictSame(await of('a.b'), ['10.1.1.1'])
  t.strictSame([...new Set(asked.map((each) => each.split(' ')[0]))], ['crm.corp.example', 'a.b'])
})

t.test('a name that becomes too long with a search domain is skipped, and the other domains are tried', async (t) => {
  const { of } = await system(t, { resolvConf: `search ${'a'.repeat(64)}.example corp.example\n`, answer: (name) => name === 'crm.corp.example' ? ['10.1.1.1'] : 'unknown' })
  t.strictSame(await of('crm'), ['10.1.1.1'])
  await t.rejects(of('other'), { code: 'ENOTFOUND' })
})

t.test('a server that does not answer is skipped for the next one', async (t) => {
  const silent = await startNameServer(() => 'silent')
  const server = await startNameServer(() => ['10.1.1.1'])
  t.teardown(silent.close)
  t.teardown(server.close)
  const lookUp = createSystemLookUp({ hostsPath: '/nowhere', resolvConfPath: '/nowhere', servers: [silent.address, server.address] })
  t.match(await lookUp('crm.example', never), { addresses: [{ address: '10.1.1.1' }] })
})

t.test('a search domain whose server fails does not hide the name in the next one', async (t) => {
  const { of } = await system(t, { resolvConf: 'search broken.example corp.example\n', answer: (name) => name === 'crm.corp.example' ? ['10.1.1.1'] : name.endsWith('broken.example') ? 'fails' : 'unknown' })
  t.strictSame(await of('crm'), ['10.1.1.1'])
})

t.test('the C library is asked for names that the servers do not know if it has other sources, and its answer is final', async (t) => {
  for (const nsswitch of ['passwd: files\nhosts: files mdns4_minimal [NOTFOUND=return] dns # and so on\n', 'hosts:files resolve [!UNAVAIL=return] dns']) {
    const { of, askedSystem } = await system(t, { nsswitch })
    t.strictSame(await of('mdns.local'), ['10.9.9.9'])
    const error: unknown = await of('nowhere.example').catch((error: unknown) => error)
    t.ok(isNotFound(error))
    t.strictSame(askedSystem, ['mdns.local', 'nowhere.example'])
  }
})

t.test('the C library is not asked if it would only ask the same servers again', { skip: platform() !== 'linux' && 'it keeps names elsewhere there' }, async (t) => {
  for (const nsswitch of ['hosts: files dns myhostname', '# hosts: files mdns4 dns', '']) {
    const { of, askedSystem } = await system(t, { nsswitch })
    await t.rejects(of('nowhere.example'), { code: 'ENOTFOUND', message: 'There is no address for nowhere.example (ENOTFOUND)' })
    t.strictSame(askedSystem, [])
  }
})

t.test('servers that do not answer, or cannot tell, leave the name unknown, and block no thread of the C library', async (t) => {
  const { of, lookUp, askedSystem } = await system(t, { nsswitch: 'hosts: mdns4', answer: (name) => name.startsWith('silent') ? 'silent' : 'fails' })
  const controller = new AbortController()
  const waiting = lookUp('silent.example', controller.signal)
  await turn()
  controller.abort(new Error('over'))
  const error: unknown = await waiting.catch((error: unknown) => error)
  t.match(error, { message: 'The DNS servers did not answer for silent.example' })
  t.notOk(isNotFound(error))
  const failed: unknown = await of('fails.example').catch((error: unknown) => error)
  t.match(failed, { message: 'The DNS servers could not tell the address of fails.example (ESERVFAIL)' })
  t.notOk(isNotFound(failed))
  t.strictSame(askedSystem, [])
})
