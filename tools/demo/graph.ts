// The graph of the tour, and what every dashboard ought to show: the model that all claims are
// compared with is one line, "the posts of those whom one follows, newest first".

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { PostRef } from '../../services/client/connect.ts'

export class Graph {
  readonly #friends = new Map<string, Set<string>>()
  readonly #posts = new Map<string, string[]>()

  /** Reads an edge list whose pairs follow each other. */
  static read(path: string): Graph {
    const graph = new Graph()
    for (const line of gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n')) {
      const [a, b] = line.split(' ')
      if (a && b) graph.#befriend(a, b)
    }
    return graph
  }

  get people(): string[] {
    return [...this.#friends.keys()]
  }

  get follows(): number {
    return this.people.reduce((sum, person) => sum + this.friendsOf(person).size, 0)
  }

  /** Those who follow a person, who are those whom the person follows. */
  friendsOf(person: string): ReadonlySet<string> {
    return this.#friends.get(person) ?? new Set()
  }

  /** By how many they follow, most first. */
  get byFriends(): string[] {
    return this.people.sort((a, b) => this.friendsOf(b).size - this.friendsOf(a).size)
  }

  /** Remembers that a post was acknowledged. */
  published(post: PostRef): void {
    const posts = this.#posts.get(post.authorId)
    if (posts) posts.push(post.postId)
    else this.#posts.set(post.authorId, [post.postId])
  }

  get postCount(): number {
    return [...this.#posts.values()].reduce((sum, posts) => sum + posts.length, 0)
  }

  /** On how many dashboards all posts are together, their authors' own included. */
  get deliveries(): number {
    return [...this.#posts].reduce(
      (sum, [author, posts]) => sum + posts.length * (this.friendsOf(author).size + 1),
      0,
    )
  }

  /** The model: names of the posts that a person's dashboard has to show, newest first. */
  dashboardOf(person: string): string[] {
    return [person, ...this.friendsOf(person)]
      .flatMap((author) => (this.#posts.get(author) ?? []).map((postId) => ({ author, postId })))
      .sort((a, b) => compareIds(b.postId, a.postId))
      .map(({ author, postId }) => `${author}/${postId}`)
  }

  #befriend(a: string, b: string): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const friends = this.#friends.get(from)
      if (friends) friends.add(to)
      else this.#friends.set(from, new Set([to]))
    }
  }
}

/** Ids are digits without leading zeros: the longer one is greater. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b))
}
