/** Where each shared region has Voucherify's Management API: what stands before `/management`. Dedicated regions have addresses of their own. */
export const managementUrls: Readonly<Record<'eu1' | 'us1' | 'as1', string>> = {
  eu1: 'https://api.voucherify.io',
  us1: 'https://us1.api.voucherify.io',
  as1: 'https://as1.api.voucherify.io'
}
