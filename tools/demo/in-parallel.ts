// Many small tasks, a bounded number at a time.

export async function inParallel<Item>(
  items: Iterable<Item>,
  atOnceMax: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await task(next.value)
  }
  await Promise.all(Array.from({ length: atOnceMax }, worker))
}
