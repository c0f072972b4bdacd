// Checks what a user was shown: the pages of one walk down a dashboard, joined. Every post that belongs exactly once and in
// order, none that does not, each with a text it may have.

import type { History } from '../history/history.ts'
import type { PostFact } from '../history/post-fact.ts'
import {
  factsAbout,
  mayBeHidden,
  mayBeShown,
  mustBeHidden,
  mustBeShown,
  type Reading,
} from './belonging.ts'
import type { Finding } from './finding.ts'

export type ShownPost = {
  readonly author: string
  readonly postId: string
  readonly text: string
  /** Of a reblog: what it shows of the post it reblogs. */
  readonly origin?: ShownPost | 'unavailable' | undefined
}

export type Walk = Reading & {
  readonly posts: readonly ShownPost[]
  readonly readMark: string | undefined
  /** Whether the last page said that there is no more. If not, nothing is known of what is older. */
  readonly isComplete: boolean
}

export function checkWalk(history: History, walk: Walk): Finding[] {
  return [
    ...checkOrder(walk),
    ...walk.posts.flatMap((post) => checkShown(history, walk, post)),
    ...checkMissing(history, walk),
    ...checkMark(history, walk),
  ]
}

/** Whether the walk went as far down as this post. */
export function covers(walk: Walk, postId: string): boolean {
  const last = walk.posts.at(-1)
  // Of two posts with one id the order is the authors' hashes', which is not known here.
  return walk.isComplete || (last !== undefined && BigInt(postId) > BigInt(last.postId))
}

function checkOrder({ viewer, posts }: Walk): Finding[] {
  const findings: Finding[] = []
  const seen = new Set<string>()
  let above: ShownPost | undefined
  for (const post of posts) {
    const name = `${post.author}/${post.postId}`
    if (seen.has(name)) findings.push({ kind: 'twice', text: `${name} on ${viewer}'s dashboard` })
    seen.add(name)
    if (above !== undefined && BigInt(above.postId) < BigInt(post.postId)) {
      const text = `${name} below ${above.author}/${above.postId} on ${viewer}'s dashboard`
      findings.push({ kind: 'out-of-order', text })
    }
    above = post
  }
  return findings
}

function checkShown(history: History, walk: Walk, shown: ShownPost): Finding[] {
  const place = `${shown.author}/${shown.postId} on ${walk.viewer}'s dashboard`
  const post = history.post(shown.author, shown.postId)
  if (post === undefined) return [{ kind: 'never-written', text: place }]
  if (!mayBeShown(history, post, walk)) {
    return [{ kind: 'must-not-be-shown', text: explained(history, walk, post, place) }]
  }
  if (!post.mayRead(shown.text, walk.floor, walk.until)) {
    const text = `${place} reads ${JSON.stringify(shown.text)}`
    return [{ kind: 'wrong-text', text: explained(history, walk, post, text) }]
  }
  return checkOrigin(history, walk, { post, origin: shown.origin })
}

/** Shown to whom may see it, as it is: whether it is followed does not matter. */
function checkOrigin(
  history: History,
  walk: Walk,
  reblog: { readonly post: PostFact; readonly origin: ShownPost['origin'] },
): Finding[] {
  const { origin: post } = reblog.post
  const { origin } = reblog
  const place = `the origin of ${reblog.post.name} on ${walk.viewer}'s dashboard`
  const found = (kind: Finding['kind'], text: string): Finding[] => [
    { kind, text: post === undefined ? text : explained(history, walk, post, text) },
  ]
  if (post === undefined || origin === undefined) {
    return post === origin ? [] : found('wrong-origin', `${place} is there, or is not`)
  }
  if (origin === 'unavailable') {
    const isSeen = post.mustBeThere(walk.floor, walk.until) && !mayBeHidden(history, post, walk)
    return isSeen ? found('missing', place) : []
  }
  if (origin.author !== post.author || origin.postId !== post.postId) {
    return found('wrong-origin', `${place} is another post`)
  }
  if (!post.mayBeThere(walk.floor, walk.until) || mustBeHidden(history, post, walk)) {
    return found('must-not-be-shown', place)
  }
  const isRight = post.mayRead(origin.text, walk.floor, walk.until)
  return isRight ? [] : found('wrong-text', `${place} reads ${JSON.stringify(origin.text)}`)
}

function checkMissing(history: History, walk: Walk): Finding[] {
  const shown = new Set(walk.posts.map(({ author, postId }) => `${author}/${postId}`))
  const authors = [walk.viewer, ...history.targetsOf('follow', walk.viewer)]
  return authors
    .flatMap((author) => history.postsOf(author))
    .filter((post) => !shown.has(post.name) && covers(walk, post.postId))
    .filter((post) => mustBeShown(history, post, walk))
    .map((post) => {
      const text = `${post.name} on ${walk.viewer}'s dashboard`
      return { kind: 'missing' as const, text: explained(history, walk, post, text) }
    })
}

function checkMark(history: History, { viewer, floor, until, readMark }: Walk): Finding[] {
  const fact = history.mark(viewer)
  if (fact.mayBe(readMark, floor, until)) return []
  return [{ kind: 'wrong-read-mark', text: `${readMark} shown at ${until}; ${fact.story}` }]
}

function explained(
  history: History,
  { viewer, floor, until }: Reading,
  post: PostFact,
  text: string,
): string {
  const read = `read by ${floor.session}, which knows up to ${floor.at}, until ${until}`
  return `${text}, ${read}\n    ${factsAbout(history, post, viewer)}`
}
