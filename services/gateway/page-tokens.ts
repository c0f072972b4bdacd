// Page tokens: where a list goes on, sealed, so that nobody can claim a cursor that was never given, and bound to the user
// and the call that gave it. They carry what the session has seen, so going on never falls behind the page before.

import { timingSafeEqual } from 'node:crypto'
import type { Position } from '../../cells/model/position.ts'
import { type PostId, toPostId } from '../../cells/model/post-id.ts'
import { type UserKey, userKeyOfBytes } from '../../cells/model/user-key.ts'
import type { Place } from '../../cells/ports/cell-client.ts'
import {
  PageCall,
  PageDirection,
  PageToken,
  SealedPageToken,
} from '../../gen/cellfeed/internal/v1/token.ts'
import { withField } from '../runtime/protobuf-fields.ts'
import { encoded } from '../runtime/encoded.ts'
import { bytesOfToken, type ConsistencyTokens } from './consistency-tokens.ts'
import { ApiError } from './errors.ts'
import { HmacKey } from './hmac-key.ts'

export type PagedCall = 'dashboard' | 'posts' | 'following' | 'followers'
export type PageOwner = {
  readonly call: PagedCall
  readonly user: UserKey
  /** Of ListPosts: who looks. */
  readonly viewer?: UserKey | undefined
}
export type Cursor = {
  readonly direction: 'older' | 'newer'
  readonly author: UserKey
  /** Undefined in lists of users, which are in key order alone. */
  readonly postId: PostId | undefined
}
export type OpenedPage = Cursor & { readonly seen: Position }
/** A key of the cluster's; the greatest id seals, all of them open. */
export type PageTokenKey = { readonly id: number; readonly secret: Uint8Array }

const TOKEN_VERSION = 1
const MAC_BYTES = 16
/** PageToken's field for it. */
const SEEN = 7
const CALLS: Readonly<Record<PagedCall, PageCall>> = {
  dashboard: PageCall.LIST_DASHBOARD,
  posts: PageCall.LIST_POSTS,
  following: PageCall.LIST_FOLLOWING,
  followers: PageCall.LIST_FOLLOWERS,
}

export class PageTokens {
  readonly #keys: ReadonlyMap<number, HmacKey>
  readonly #keyId: number
  readonly #positions: ConsistencyTokens

  constructor(keys: readonly PageTokenKey[], positions: ConsistencyTokens) {
    if (keys.length === 0) throw new Error('page tokens need a key')
    this.#keys = new Map(keys.map((key) => [key.id, new HmacKey(key.secret)]))
    this.#keyId = Math.max(...keys.map((key) => key.id))
    this.#positions = positions
  }

  seal(owner: PageOwner, cursor: Cursor, seen: Position): string {
    const cursorBytes = encoded(PageToken, {
      version: TOKEN_VERSION,
      call: CALLS[owner.call],
      userHash: bytesOf(owner.user),
      direction: cursor.direction === 'older' ? PageDirection.OLDER : PageDirection.NEWER,
      postId: cursor.postId ?? 0n,
      authorHash: authorHash(cursor.author),
      seen: undefined,
      viewerHash: viewerHash(owner),
    })
    const payload = withField(cursorBytes, SEEN, this.#positions.encode(seen))
    const mac = this.#mac(this.#keyId, payload) ?? Buffer.alloc(0)
    const sealed = encoded(SealedPageToken, { payload, mac, keyId: this.#keyId })
    return sealed.toString('base64url')
  }

  sealPlace(owner: PageOwner, direction: Cursor['direction'], at: Place, seen: Position): string {
    return this.seal(owner, { direction, author: at.author, postId: at.postId }, seen)
  }

  /** For lists of users: the next page holds keys greater than this one. */
  sealUser(owner: PageOwner, after: UserKey, seen: Position): string {
    return this.seal(owner, { direction: 'older', author: after, postId: undefined }, seen)
  }

  /** Undefined for the empty token: the list's start. */
  open(token: string, owner: PageOwner, field = 'page_token'): OpenedPage | undefined {
    if (token === '') return undefined
    const page = this.#unseal(token)
    if (page === undefined) throw invalid(field)
    if (page.version !== TOKEN_VERSION) {
      const message = `${field}: this token is of another version; start again without it`
      throw new ApiError('PAGE_TOKEN_VERSION_UNSUPPORTED', message, { field })
    }
    const isOwn =
      page.call === CALLS[owner.call] &&
      page.userHash.equals(bytesOf(owner.user)) &&
      page.viewerHash.equals(viewerHash(owner))
    if (!isOwn) {
      const message = `${field}: this token was given to another user or by another call`
      throw new ApiError('PAGE_TOKEN_MISMATCH', message, { field })
    }
    const author = userKeyOfBytes(page.authorHash)
    const seen = page.seen === undefined ? undefined : this.#positions.positionOf(page.seen, field)
    if (author === undefined || seen === undefined) throw invalid(field)
    return {
      direction: page.direction === PageDirection.NEWER ? 'newer' : 'older',
      author,
      postId: toPostId(page.postId),
      seen,
    }
  }

  #unseal(token: string): PageToken | undefined {
    const bytes = bytesOfToken(token)
    if (bytes === undefined) return undefined
    try {
      const sealed = SealedPageToken.decode(bytes)
      const mac = this.#mac(sealed.keyId, sealed.payload)
      if (mac === undefined || sealed.mac.length !== MAC_BYTES) return undefined
      return timingSafeEqual(mac, sealed.mac) ? PageToken.decode(sealed.payload) : undefined
    } catch {
      return undefined
    }
  }

  #mac(keyId: number, payload: Uint8Array): Buffer | undefined {
    return this.#keys.get(keyId)?.sign(payload).subarray(0, MAC_BYTES)
  }
}

/** Cells name the place above all authors of an id by an empty key; 16 zeros sort like that too. */
function authorHash(author: UserKey): Buffer {
  return author === '' ? Buffer.alloc(16) : bytesOf(author)
}

/** A key is a string of characters 0..255; this way its bytes cost a tenth of a microsecond. */
function bytesOf(key: UserKey): Buffer {
  return Buffer.from(key, 'latin1')
}

function viewerHash(owner: PageOwner): Buffer {
  return owner.viewer === undefined ? Buffer.alloc(0) : bytesOf(owner.viewer)
}

function invalid(field: string): ApiError {
  const message = `${field}: no server of this cluster made this token, or it was changed on its way`
  return new ApiError('PAGE_TOKEN_INVALID', message, { field })
}
