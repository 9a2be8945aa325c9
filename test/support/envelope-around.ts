/** The present time, because an event that happened long ago is quarantined. */
const NOW = new Date().toISOString()

/** Makes the envelope that a distribution would put around a body. Another number gives another event. */
export function envelopeAround (eventType: string, data: unknown, number: number | string = 1) {
  return {
    id: `whs_${number}`,
    project_id: 'proj_tea',
    created_at: NOW,
    type: 'Tier changed',
    data,
    source: { id: 'distr_tea', object: 'distribution', target_url: 'https://hooks.shop.example/' },
    event: {
      id: `ev_${number}`,
      type: eventType,
      created_at: NOW,
      entity_id: 'cust_tea',
      group_id: 'v-tea',
      event_source: { channel: 'API' }
    }
  }
}
