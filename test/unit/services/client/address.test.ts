// Addresses: what is accepted, and where the admin API is.

import { expect, test } from 'vitest'
import { adminAddressOf, parseAddress } from '../../../../services/client/address.ts'
import { CellfeedError, connect } from '../../../../services/client/connect.ts'

test('a port left out is the default one', () => {
  expect(parseAddress('feeds.example')).toBe('feeds.example:7400')
  expect(parseAddress('[::1]:99')).toBe('[::1]:99')
})

test.each(['', ':7400', 'host:', 'host:0', 'host:65536', 'host:x', 'http://host', 'a b:1', '::1'])(
  '"%s" is refused by connect, before any call',
  (address) => {
    expect(() => connect(address)).toThrow(CellfeedError)
  },
)

test('the admin API is at the next port unless said otherwise', () => {
  expect(adminAddressOf('127.0.0.1:7400')).toBe('127.0.0.1:7401')
})
