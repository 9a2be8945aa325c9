import { InvalidArgumentError } from 'commander'

/** An option's parser for whole numbers from `minimum` to `maximum`. */
export function wholeNumber (minimum: number, maximum: number): (text: string) => number {
  return text => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (value >= minimum && value <= maximum) return value
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
  }
}
