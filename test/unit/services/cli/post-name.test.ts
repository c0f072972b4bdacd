// Post names: what is shown can be pasted back.

import { describe, expect, test } from 'vitest'
import { parsePostId, parsePostName, postName } from '../../../../services/cli/post-name.ts'

describe('post names', () => {
  test('author and id are taken apart at the last slash', () => {
    expect(parsePostName('bob/123')).toEqual({ authorId: 'bob', postId: '123' })
    expect(parsePostName('a/b/123')).toEqual({ authorId: 'a/b', postId: '123' })
  })

  test('a post id alone is enough where the author does not matter', () => {
    expect(parsePostId('123')).toBe('123')
    expect(parsePostId('bob/123')).toBe('123')
  })

  test.each(['bob', '123', '/123', 'bob/', 'bob/0', 'bob/01', 'bob/-1', 'bob/x', 'bob/1e3'])(
    '"%s" names no post, and the message shows what would',
    (given) => {
      expect(() => parsePostName(given)).toThrow('AUTHOR/POST_ID')
    },
  )

  test('names are quoted as a shell needs it, and only then', () => {
    expect(postName({ authorId: 'bob', postId: '1' })).toBe('bob/1')
    expect(postName({ authorId: 'émile', postId: '1' })).toBe('émile/1')
    expect(postName({ authorId: 'two words', postId: '1' })).toBe(`'two words/1'`)
    expect(postName({ authorId: `o'neil`, postId: '1' })).toBe(`'o'\\''neil/1'`)
    expect(postName({ authorId: '-rf', postId: '1' })).toBe(`'-rf/1'`)
    expect(postName({ authorId: '$(reboot)', postId: '1' })).toBe(`'$(reboot)/1'`)
  })
})
