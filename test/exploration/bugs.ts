// Mistakes that can be planted in what is explored. Each must be found.

export const BUGS = {
  'position-after-copy': "the source's checkpoint is read after its rows",
  'one-partition-forgotten': 'one partition is attached without its replay',
  'replayed-after-attached': 'the slot is complete while its replay still goes on',
  'cut-before-checkpoint': 'slots count as arrived before a checkpoint names them',
  'cut-behind-source': 'the target takes over behind the source',
  'recovering-counts': 'a cell that recovers is taken to have shown no more than it has applied',
  'cut-to-nothing': 'a target takes over what it does not hold any more',
  'living-source-left': 'a standby takes over from a source that is well',
  'lost-unseen': 'a standby that has lost its copy passes for one until the source is dead',
  'log-end-unread': "a standby takes over before it has reached the log's end",
  'back-to-nothing': 'the source takes back what it does not hold any more',
  'back-behind-target': 'the source takes back behind the target',
  'retired-too-early': 'the source may drop its copy before the target knows that it owns',
  'term-reused': 'a slot comes back under the term of a stay that is being dropped',
  'revision-ignored': 'the placement is replaced whoever else has replaced it meanwhile',
  'epoch-ignored': "a cell answers by an older placement than its caller's",
  'copies-kept': 'copies that are nobody’s business stay',
} as const

export type Bug = keyof typeof BUGS
