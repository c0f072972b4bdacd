// Rows of one partition travel together, as one mutation. Groups are bounded in rows and bytes, so that no request is large for
// a node's memory; a row larger than that is a group of its own.

const GROUP_ROWS_MAX = 64
const GROUP_BYTES_MAX = 128 * 1024

/** Answers the rows in groups of one partition each. */
export function groupRows<R>(
  rows: readonly R[],
  partitionOf: (row: R) => number | string,
  bytesOf: (row: R) => number,
): R[][] {
  type Group = { readonly rows: R[]; bytes: number }
  const open = new Map<number | string, Group>()
  const groups: R[][] = []
  for (const row of rows) {
    const partition = partitionOf(row)
    const bytes = bytesOf(row)
    const standing = open.get(partition)
    if (
      standing === undefined ||
      standing.rows.length === GROUP_ROWS_MAX ||
      standing.bytes + bytes > GROUP_BYTES_MAX
    ) {
      const group = { rows: [row], bytes }
      open.set(partition, group)
      groups.push(group.rows)
    } else {
      standing.rows.push(row)
      standing.bytes += bytes
    }
  }
  return groups
}
