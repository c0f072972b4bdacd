// A session's tokens: few, and never less than what it wrote and saw.

import { describe, expect, test } from 'vitest'
import { TokenFrontier, tokensMax } from '../../../../services/client/token-frontier.ts'

describe('token frontier', () => {
  test("a read's token takes the place of those it was given", () => {
    const frontier = new TokenFrontier()
    frontier.add('w1')
    frontier.add('w2')
    frontier.advance(['w1', 'w2'], 'r1')
    expect(frontier.tokens).toEqual(['r1'])
  })

  test('what was written while a read was under way stays', () => {
    const frontier = new TokenFrontier(['w1'])
    const asked = frontier.tokens
    frontier.add('w2')
    frontier.advance(asked, 'r1')
    expect(frontier.tokens).toEqual(['w2', 'r1'])
  })

  test('of two reads that end in the other order neither is forgotten', () => {
    const frontier = new TokenFrontier(['w1'])
    const first = frontier.tokens
    const second = frontier.tokens
    frontier.advance(second, 'r2')
    frontier.advance(first, 'r1')
    expect(frontier.tokens).toEqual(['r2', 'r1'])
  })

  test('empty tokens ask for nothing', () => {
    const frontier = new TokenFrontier()
    frontier.add('')
    frontier.advance([], '')
    expect(frontier.tokens).toEqual([])
  })

  test('more writes than a read takes tokens overflow, and stay bounded', () => {
    const frontier = new TokenFrontier()
    for (let write = 0; write < 10 * tokensMax; write += 1) frontier.add(`w${write}`)
    expect(frontier.overflown).toBe(true)
    expect(frontier.tokens.length).toBeLessThanOrEqual(tokensMax)
  })

  test('starting over keeps what is written meanwhile, and failing to overflows again', () => {
    const frontier = new TokenFrontier()
    for (let write = 0; write <= tokensMax; write += 1) frontier.add(`w${write}`)
    frontier.startOver()
    frontier.add('late')
    frontier.add('everything')
    expect(frontier.overflown).toBe(false)
    expect(frontier.tokens).toEqual(['late', 'everything'])
    frontier.overflow()
    expect(frontier.overflown).toBe(true)
  })
})
