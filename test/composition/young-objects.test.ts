import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { keepObjectsYoung } from '../../src/composition/young-objects.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

interface Sample { readonly number: number, readonly text: string, readonly next: undefined }

/** The place in the code where all samples are allocated. */
function makeSample (number: number): Sample {
  return { number, text: 'sample', next: undefined }
}

function oldBytes (): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? NaN
}

t.test('short-lived objects stay in the young generation even if earlier objects from the same place survived', async (t) => {
  keepObjectsYoung()
  const kept: Sample[] = []
  for (let number = 0; number < 1_500_000; number++) kept.push(makeSample(number))
  collect()
  const before = oldBytes()
  let sum = 0
  for (let number = 0; number < 500_000; number++) {
    const sample = makeSample(number)
    // As soon as the next sample exists, this one is garbage.
    kept[0] = sample
    sum += sample.text.length
  }
  t.equal(sum, 3_000_000)
  t.equal(kept.length, 1_500_000)
  // The samples take 20 MB.
  t.ok(oldBytes() - before < 5_000_000, `${oldBytes() - before} bytes became old`)
})
