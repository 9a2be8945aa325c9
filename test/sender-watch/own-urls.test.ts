import t from 'tap'
import { createOwnUrls } from '../../src/sender-watch/own-urls.js'

t.test('a target is the service\'s own if its router accepts it, however it is written', async (t) => {
  const { targetOf, webhooks } = createOwnUrls({ publicUrl: 'https://Hooks.example.com:443/in/', customWebhooks: ['CRM'] })
  t.equal(webhooks, 'https://hooks.example.com/in/webhooks')
  for (const end of [
    '', '/', '?key=1', '#x', '/customer.loyalty.tier.upgraded', '/EVENTS.CUSTOMER.LOYALTY.TIER.UPGRADED', '/campaign.loyalty_tier.created/', '/custom/crm', '/%63ustom/crm'
  ]) t.equal(targetOf(`https://hooks.example.com/in/webhooks${end}`), 'taken', end)
  t.equal(targetOf('HTTPS://HOOKS.example.com:443/in/WEBHOOKS'), 'taken')
  t.equal(targetOf('https://user:password@hooks.example.com/in/webhooks'), 'taken')
})

t.test('a target at the service\'s host with an unknown path is told apart from one elsewhere', async (t) => {
  const { targetOf } = createOwnUrls({ publicUrl: 'https://hooks.example.com', customWebhooks: [] })
  for (const url of ['https://hooks.example.com/webhook', 'http://hooks.example.com/webhooks', 'https://hooks.example.com:8443/webhooks', 'https://hooks.example.com/webhooks/typo', 'https://hooks.example.com/webhooks/custom/crm', 'https://hooks.example.com/webhooks%ff']) {
    t.equal(targetOf(url), 'host', url)
  }
  for (const url of ['https://hooks.example.com.evil.example/webhooks', 'https://example.com/webhooks', 'no url', '']) t.equal(targetOf(url), 'elsewhere', url)
})

t.test('an address that was copied with its path means the same', async (t) => {
  const { targetOf, webhooks } = createOwnUrls({ publicUrl: 'https://hooks.example.com/webhooks/', customWebhooks: [] })
  t.equal(webhooks, 'https://hooks.example.com/webhooks')
  t.equal(targetOf('https://hooks.example.com/webhooks'), 'taken')
})
