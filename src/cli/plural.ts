/** A number and what it counts: `1 delivery`, `2 deliveries`. */
export function plural (count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`
}

export const countDeliveries = (count: number): string => plural(count, 'delivery', 'deliveries')
