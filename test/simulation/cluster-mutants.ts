// Bugs around more than one process: two of one cell, one that slept, and a cell brought back from another one. Each is planted like
// those of mutant-list.ts.

import type { Mutant } from './mutant.ts'

export const CLUSTER_MUTANTS: readonly Mutant[] = [
  // Two processes of one cell, and one that slept.
  {
    name: 'drops-without-asking',
    bug: 'a zombie drops window blocks that its successor needs',
    file: 'cells/activities/checkpointer.ts',
    old: '    await this.#claim.confirm()\n',
    new: '',
  },
  {
    name: 'claims-too-late',
    bug: 'a cell claims its store after it has read its checkpoint',
    file: 'cells/activities/recovery.ts',
    old: '    await this.#claim.make()\n    const stored = await this.#store.checkpoints.get()\n',
    new: '    const stored = await this.#store.checkpoints.get()\n    await this.#claim.make()\n',
  },
  {
    name: 'checkpoint-not-kept',
    bug: "a zombie's checkpoint counts, and its successor's older reader rows too",
    file: 'cells/activities/recovery.ts',
    old: '    await this.#keepCheckpoint(picture)\n',
    new: '',
  },
  {
    name: 'names-unconfirmed',
    bug: 'a zombie uses numbers that its successor gave to others',
    file: 'cells/activities/name-book.ts',
    old: '    await this.#claim.confirm()\n    for',
    new: '    for',
  },
  {
    name: 'range-unconfirmed',
    bug: 'a zombie takes a range of numbers that its successor has taken',
    file: 'cells/activities/name-book.ts',
    old: '    await this.#claim.confirm()\n    this.#makeRoom(end)\n',
    new: '    this.#makeRoom(end)\n',
  },
  {
    name: 'reach-not-kept',
    bug: "a zombie's reach counts, and its successor's classes",
    file: 'cells/activities/recovery.ts',
    old: '      await this.#persistence.untilDurable(() => this.#store.readers.putReach(batch))\n',
    new: '',
  },
  {
    name: 'reach-after-generations',
    bug: 'a successor knows how far a zombie wrote, but not what it wrote',
    file: 'cells/activities/recovery.ts',
    old: '    const reached = await this.#loadReach()\n',
    new: '    const rows = await this.#store.inbox.generations()\n    const reached = await this.#loadReach()\n    this.#store.inbox.generations = () => Promise.resolve(rows)\n',
  },
  {
    name: 'unknown-chunks-shown',
    bug: 'a page takes chunks of which the cell does not know how far they go',
    file: 'cells/activities/inbox-source.ts',
    old: 'chunks.filter(({ generation }) => this.#isKnown(generation))',
    new: 'chunks.filter(({ generation }) => this.#isKnown(generation) || generation > 0)',
  },
  {
    name: 'suspended-serves',
    bug: 'a cell that slept answers as of when it fell asleep',
    file: 'cells/activities/readiness.ts',
    old: '    this.#begun++\n',
    new: '',
  },
  {
    name: 'stored-edit-ignored',
    bug: 'an edit that another process has stored changes nothing of what is cached',
    file: 'cells/activities/applier.ts',
    old: '    const row = edited(old, fact, offset)\n',
    new: '    const row = edited(old, fact, offset)\n    if (row === old) return\n',
  },
  // A cell brought back from another one.
  {
    name: 'floor-not-raised',
    bug: 'inboxes of a rebuilt cell are said to hold posts that were copied',
    file: 'cells/activities/rebuild.ts',
    old: 'const floor = Math.max(second, floors.get(slot) ?? 0)',
    new: 'const floor = Math.max(second - second, floors.get(slot) ?? 0)',
  },
  {
    name: 'donor-position-ignored',
    bug: "posts are copied as of the donor's checkpoint, and replayed from the log's end",
    file: 'cells/activities/rebuild-plan.ts',
    old: 'const postsFrom = [...donor.position]',
    new: 'const postsFrom = [...bounds.end]',
  },
  {
    name: 'donor-checkpoint-late',
    bug: "the donor's checkpoint is read after its posts",
    file: 'cells/activities/rebuild.ts',
    old: '    await this.#commit(own, plan, greatest)\n',
    new: '    const { position: later } = (await pictureIn(donor.checkpoints)) ?? own\n    await this.#commit(own, { ...plan, postsFrom: later }, greatest)\n',
  },
  {
    name: 'numbers-not-reencoded',
    bug: "posts are copied with the donor's numbers",
    file: 'cells/activities/donor-copy.ts',
    old: 'else this.#ours.set(number, ours)',
    new: 'else this.#ours.set(number, number)',
  },
  {
    name: 'marks-not-copied',
    bug: 'posts that were deleted in the gap are not',
    file: 'cells/activities/donor-copy.ts',
    old: 'if (row.body === undefined) rows.push({ ...row, author })',
    new: 'if (row.body === undefined) continue',
  },
  {
    name: 'deletions-not-copied',
    bug: 'users who were deleted in the gap are not',
    file: 'cells/activities/donor-copy.ts',
    old: 'if (!this.#state.authors.isDeleted(ours)) await this.#authors.deleteUser(ours)',
    new: '',
  },
  {
    name: 'gap-not-listed',
    bug: 'a rebuilt cell serves though nobody knows what relations it missed',
    file: 'cells/activities/rebuild.ts',
    old: 'const openGap = [...(before?.openGap ?? []), ...gap]',
    new: 'const openGap = [...(before?.openGap ?? [])]',
  },
  {
    name: 'authors-no-readers',
    bug: 'who published first in the gap has no dashboard',
    file: 'cells/activities/rebuild.ts',
    old: 'const missing = new Set(authors)',
    new: 'const missing = new Set(authors.size === 0 ? authors : [])',
  },
  {
    name: 'copied-applied-again',
    bug: 'posts before the donor’s checkpoint are judged again, without the event ids of the gap',
    file: 'cells/activities/applier.ts',
    old: 'return offset < (this.#state.rebuilt?.postsFrom[partition] ?? 0) && isAboutPosts(event.fact)',
    new: 'return offset < 0 && isAboutPosts(event.fact)',
  },
]
