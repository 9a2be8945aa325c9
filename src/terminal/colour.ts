const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

export type Colour = keyof typeof codes

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string

/** Makes a painter for an output that shows colours, or for one that does not. */
export function createPaint (colourful: boolean): Paint {
  return (colour, text) => {
    const [begin, end] = codes[colour]
    return colourful && text !== '' ? `\u001B[${begin}m${text}\u001B[${end}m` : text
  }
}
