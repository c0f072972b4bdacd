// What one session was shown of a user's dashboard, so that the next read of the same session can be held against it. A
// session never goes back: what it saw once it sees again, also if nobody else knows whether that was written, unless
// something may have taken it away; and a post that was gone although its author was not stays gone.

import type { History } from '../history/history.ts'
import type { Floor } from '../history/operation.ts'
import { factsAbout, mayLoseAuthor } from './belonging.ts'
import { covers, type Walk } from './check-walk.ts'
import type { Finding } from './finding.ts'

export class SessionMemory {
  /** What was shown, with the floor of that read. */
  readonly #shown = new Map<
    string,
    { readonly author: string; readonly postId: string; readonly floor: Floor }
  >()
  readonly #gone = new Set<string>()
  #readMark = 0n

  /** Holds a read against what was seen before, and remembers it. */
  check(history: History, walk: Walk): Finding[] {
    const findings = [...this.#checkGone(history, walk), ...this.#checkMark(walk)]
    for (const post of walk.posts) {
      const name = `${post.author}/${post.postId}`
      if (this.#gone.has(name)) {
        findings.push({
          kind: 'came-back',
          text: `${name} on ${walk.viewer}'s dashboard, ${walk.until}`,
        })
      }
      this.#shown.set(name, { author: post.author, postId: post.postId, floor: walk.floor })
    }
    return findings
  }

  #checkGone(history: History, walk: Walk): Finding[] {
    const findings: Finding[] = []
    const shownNow = new Set(walk.posts.map(({ author, postId }) => `${author}/${postId}`))
    for (const [name, { author, postId, floor }] of this.#shown) {
      if (shownNow.has(name) || !covers(walk, postId)) continue
      this.#shown.delete(name)
      const post = history.post(author, postId)
      if (post === undefined || mayLoseAuthor(history, author, { ...walk, floor })) continue
      if (post.mayBeDeleted(walk.until)) {
        this.#gone.add(name)
        continue
      }
      const text = `${name} was on ${walk.viewer}'s dashboard and is no more, ${walk.until}`
      const facts = factsAbout(history, post, walk.viewer)
      findings.push({ kind: 'went-back', text: `${text}\n    ${facts}` })
    }
    return findings
  }

  #checkMark({ viewer, readMark, until }: Walk): Finding[] {
    const mark = BigInt(readMark ?? 0)
    const before = this.#readMark
    if (mark >= before) {
      this.#readMark = mark
      return []
    }
    return [
      { kind: 'went-back', text: `read mark of ${viewer}: ${before}, then ${mark}, ${until}` },
    ]
  }
}
