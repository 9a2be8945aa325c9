import { PAGE_BYTES } from '../database.js'
import type { Pages } from './pages.js'

/** https://sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages */
const POINTER = { root: 1, free: 2, overflow: 3, overflowNext: 4, tree: 5 } as const
const POINTERS_A_PAGE = Math.floor(PAGE_BYTES / 5)
/** SQLite keeps the roots of all tables at the front of a file with pointer maps, and tierhook has fewer than this. */
const LAST_ROOT_PAGE = 64
/** The page with the bytes that SQLite locks. */
const LOCK_PAGE = 0x40000000 / PAGE_BYTES + 1

/** Returns a function that tells whether a page belongs to a tree. A free page still holds old rows, which must not come back. */
export function createLivePages (pages: Pages): (page: number) => boolean {
  const freed = readFreeList(pages)
  let map = { page: 0, bytes: Buffer.alloc(0) }

  return (page) => {
    if (page < 2 || page === LOCK_PAGE) return false
    const mapPage = mapPageOf(page)
    if (page === mapPage) return false
    if (map.page !== mapPage) map = { page: mapPage, bytes: Buffer.from(pages.read(mapPage)) }
    const at = 5 * (page - mapPage - 1)
    const type = map.bytes.readUInt8(at)
    const parent = map.bytes.readUInt32BE(at + 1)
    if (type === POINTER.free && parent === 0) return false
    if (type === POINTER.root && parent === 0 && page <= LAST_ROOT_PAGE) return true
    const hasParent = parent > 0 && parent <= pages.count
    if (type === POINTER.tree && hasParent) return true
    if ((type === POINTER.overflow || type === POINTER.overflowNext) && hasParent) return false
    // The entry is damaged, so the list of free pages decides.
    return !freed.has(page)
  }
}

function mapPageOf (page: number): number {
  const found = Math.floor((page - 2) / (POINTERS_A_PAGE + 1)) * (POINTERS_A_PAGE + 1) + 2
  return found === LOCK_PAGE ? found + 1 : found
}

function readFreeList (pages: Pages): ReadonlySet<number> {
  const freed = new Set<number>()
  const isPage = (page: number): boolean => page > 1 && page <= pages.count
  for (let trunk = pages.read(1).readUInt32BE(32); isPage(trunk) && !freed.has(trunk);) {
    freed.add(trunk)
    const bytes = pages.read(trunk)
    const length = Math.min(bytes.readUInt32BE(4), PAGE_BYTES / 4 - 2)
    for (let index = 0; index < length; index++) freed.add(bytes.readUInt32BE(8 + index * 4))
    trunk = bytes.readUInt32BE(0)
  }
  return freed
}
