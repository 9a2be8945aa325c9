/** The size of a page in every database that we have made: SQLite's default. */
export const PAGE_BYTES = 4096
