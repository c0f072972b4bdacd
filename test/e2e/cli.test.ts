// The command line as people use it, also wrongly: the built program against a running server.

import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../services/client/connect.ts'
import { ClusterProcess, cliPath, freePorts } from '../../tools/demo/cluster-process.ts'
import { collect, printed, type Ran, runCli, startCli } from './run-cli.ts'

let folder: string
let cluster: ClusterProcess
/** What is to be stopped: nothing, if it did not start. */
const running: ClusterProcess[] = []
beforeAll(async () => {
  if (!existsSync(cliPath)) throw new Error('not built: run make build first')
  folder = await mkdtemp(join(tmpdir(), 'cellfeed-e2e-'))
  cluster = await ClusterProcess.start({ folder: join(folder, 'data'), ports: await freePorts() })
  running.push(cluster)
})
afterAll(async () => {
  const code = (await running.pop()?.stop()) ?? 0
  await rm(folder, { recursive: true })
  if (code !== 0) throw new Error(`the server ended with exit code ${code}`)
})

const addresses = () => ({ address: cluster.address, adminAddress: cluster.adminAddress })
const cli = (...argv: string[]) => runCli(argv, addresses())

/** A failure is one line that says what is wrong, and never a stack trace. */
function expectRefusal(ran: Ran, code: number, message: string) {
  expect(ran.err).toContain(message)
  expect(ran.err.trimEnd().split('\n')).toHaveLength(1)
  expect(ran.err).toMatch(/^cellfeed: /)
  expect(ran.code).toBe(code)
}

const namesOf = (ran: Ran) =>
  ran.out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { authorId: string; postId: string; text: string })

describe('a first dashboard', () => {
  test('follow, publish, read, edit, mark, explain, delete', async () => {
    expect(await cli('follow', 'alice', 'bob')).toMatchObject({
      code: 0,
      out: 'alice follows bob\n',
    })
    const published = await cli('publish', 'bob', 'hello', '--tag', 'tea')
    const name = published.out.trim()
    expect(name).toMatch(/^bob\/\d+$/)

    const shown = await cli('dashboard', 'alice')
    expect(shown.out).toContain(`${name}  just now\n  hello\n  #tea`)
    expect((await cli('unread', 'alice')).out).toBe('alice has 1 unread post\n')
    expect((await cli('mark-read', 'alice', name)).code).toBe(0)
    expect((await cli('unread', 'alice')).out).toBe('alice has 0 unread posts\n')

    expect((await cli('edit', name, 'hello, world')).code).toBe(0)
    const [edited] = namesOf(await cli('dashboard', 'alice', '--json'))
    expect(edited).toMatchObject({ text: 'hello, world', tags: [] })

    const yes = await cli('explain', 'alice', name)
    expect(yes).toMatchObject({ code: 0 })
    expect(yes.out).toMatch(/^Yes: /)
    expect((await cli('delete', name)).out).toBe(`${name} deleted\n`)
    expect(namesOf(await cli('dashboard', 'alice', '--json'))).toEqual([])
    const no = await cli('explain', 'alice', name)
    expect(no.code).toBe(1)
    expect(no.out).toContain('POST_DELETED')
  })

  test('what one command wrote the next one sees, every time', async () => {
    await cli('follow', 'erin', 'frank')
    for (let turn = 1; turn <= 5; turn += 1) {
      const name = (await cli('publish', 'frank', `turn ${turn}`)).out.trim()
      const [top] = namesOf(await cli('dashboard', 'erin', '--json', '--limit', '1'))
      expect(`${top?.authorId}/${top?.postId}`).toBe(name)
    }
    expect((await cli('dashboard', 'erin', '--all')).err).toContain('That was all')
  })

  test('mute, unmute, block, unblock and unfollow hide and show', async () => {
    await cli('follow', 'gina', 'hugo')
    await cli('publish', 'hugo', 'hi')
    const postCount = async () => namesOf(await cli('dashboard', 'gina', '--json')).length
    expect(await postCount()).toBe(1)
    await cli('mute', 'gina', 'hugo')
    expect(await postCount()).toBe(0)
    await cli('unmute', 'gina', 'hugo')
    expect(await postCount()).toBe(1)
    await cli('block', 'hugo', 'gina')
    expect(await postCount()).toBe(0)
    await cli('unblock', 'hugo', 'gina')
    expect(await postCount()).toBe(0)
    await cli('follow', 'gina', 'hugo', '--hide-reblogs')
    expect((await cli('following', 'gina')).out).toBe('hugo  (without reblogs)\n')
    expect((await cli('followers', 'hugo', '--json')).out).toBe('{"userId":"gina"}\n')
    await cli('unfollow', 'gina', 'hugo')
    expect((await cli('following', 'gina')).out).toBe('')
  })

  test('a reblog shows its origin, and that it is gone', async () => {
    const origin = (await cli('publish', 'ida', 'first')).out.trim()
    await cli('follow', 'jon', 'kim')
    await cli('publish', 'kim', '--reblog', origin)
    expect((await cli('dashboard', 'jon')).out).toContain(`reblog of ${origin}\n  |  first`)
    await cli('delete', origin)
    expect((await cli('dashboard', 'jon')).out).toContain(
      `reblog of ${origin}, which is not available`,
    )
  })

  test('a watched dashboard shows a post when it is published, and Ctrl-C ends it well', async () => {
    await cli('follow', 'lea', 'max')
    const watch = startCli(['dashboard', 'lea', '--watch'], addresses())
    const ended = collect(watch)
    await printed(watch.stderr, 'Watching')
    const shown = printed(watch.stdout, 'good evening')
    await cli('publish', 'max', 'good evening')
    await shown
    watch.kill('SIGINT')
    expect((await ended).code).toBe(0)
  })

  test('a reader who closes the pipe ends the command, which is no failure', async () => {
    const feed = connect(cluster.address)
    for (let post = 0; post < 30; post += 1) await feed.publish('nora', 'x'.repeat(60_000))
    feed.close()
    const all = startCli(['dashboard', 'nora', '--all'], addresses())
    all.stdout.once('data', () => all.stdout.destroy())
    let complaints = ''
    all.stderr.on('data', (chunk: Buffer) => {
      complaints += chunk.toString()
    })
    const code = await new Promise((resolve) => {
      all.once('exit', resolve)
    })
    expect(code).toBe(0)
    expect(complaints).not.toContain('cellfeed: ')
  })
})

describe('operators', () => {
  test('what is delivered is shown, with what it costs', async () => {
    const shown = await cli('policy')
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.out).toMatch(/^cell\s+delivered\s+pulled/)
    expect(shown.out.match(/cell-1/g)).toHaveLength(4)
    const [first] = JSON.parse((await cli('policy', '--json')).out) as { cell: string }[]
    expect(first?.cell).toBe('cell-1')
  })

  test('cells are listed, and all serve', async () => {
    const cells = await cli('cells')
    expect(cells.code).toBe(0)
    expect(cells.out.match(/serving/g)).toHaveLength(2)
  })

  test('the firehose is replayed from the beginning and from a position it gave', async () => {
    await cli('publish', 'oscar', 'for the firehose')
    const first = await cli('firehose', '--from', 'earliest', '--limit', '1', '--json')
    expect(first.code).toBe(0)
    expect(JSON.parse(first.out)).toMatchObject({ kind: expect.any(String) as string })
    const all = startCli(['firehose', '--from', 'earliest'], addresses())
    const ended = collect(all)
    await printed(all.stdout, 'for the firehose')
    all.kill('SIGINT')
    const { err, code } = await ended
    expect(code).toBe(0)
    const position = /--from (\S+)/.exec(err)?.[1] ?? ''
    // Records of other partitions may be between the two.
    const later = startCli(['firehose', '--from', position], addresses())
    const next = collect(later)
    const arrived = printed(later.stdout, 'and after it')
    await cli('publish', 'oscar', 'and after it')
    await arrived
    later.kill('SIGINT')
    expect((await next).out).not.toContain('for the firehose')
  })

  test('load measures what it was asked for', async () => {
    const argv = ['--users', '20', '--follows-each', '3', '--seconds', '0.5', '--json']
    const ran = await cli('load', ...argv)
    expect(ran.code).toBe(0)
    const { reports } = JSON.parse(ran.out) as { reports: { kind: string; ok: number }[] }
    expect(reports.map((report) => report.kind)).toEqual(['post', 'follow', 'read'])
    expect(reports.every((report) => report.ok > 0)).toBe(true)
  })
})

describe('import', () => {
  const file = async (name: string, content: string | Buffer) => {
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }

  test('a gzipped edge list, both ways', async () => {
    const path = await file('graph.gz', gzipSync('# comment\ni1 i2\ni1 i3\n'))
    const ran = await cli('import', path, '--mutual')
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.out).toContain('4 records imported from 3 lines')
    expect((await cli('followers', 'i1')).out.split('\n').sort()).toEqual(['', 'i2', 'i3'])
    expect(existsSync(`${path}.import-state`)).toBe(false)
  })

  test('bad lines are counted, the first is named, and the others are imported', async () => {
    const path = await file('bad.txt', `b1 b2\nonly-one\nb3 ${'x'.repeat(65)}\nb1 b4\n`)
    const ran = await cli('import', path)
    expect(ran.code).toBe(1)
    expect(ran.err).toContain('2 bad lines in')
    expect(ran.err).toContain('line 2: expected two user ids, found 1')
    expect((await cli('following', 'b1')).out.split('\n').sort()).toEqual(['', 'b2', 'b4'])
  })

  test('a history as NDJSON, twice, is the same as once', async () => {
    const createdAt = new Date(Date.now() - 86_400_000).toISOString()
    const records = [
      { post: { authorId: 'h1', externalId: 'p-1', createdAt, text: 'from before' } },
      { follow: { userId: 'h2', authorId: 'h1' } },
      { mute: { userId: 'h2', targetId: 'h3' } },
      { readMark: { userId: 'h2', readUntil: createdAt } },
    ]
    const path = await file(
      'history.ndjson',
      records.map((record) => JSON.stringify(record)).join('\n'),
    )
    for (let turn = 0; turn < 2; turn += 1) expect((await cli('import', path)).code).toBe(0)
    expect((await cli('dashboard', 'h2')).out).toMatch(/1 day ago\n {2}from before/)
    expect((await cli('unread', 'h2')).out).toBe('h2 has 0 unread posts\n')
    expect(namesOf(await cli('dashboard', 'h2', '--json'))).toHaveLength(1)
  })

  test('from standard input', async () => {
    const ran = await runCli(['import', '-'], { ...addresses(), stdin: 's1 s2\n' })
    expect(ran).toMatchObject({ code: 0 })
    expect((await cli('following', 's1')).out).toBe('s2\n')
  })

  test('interrupted, the same command goes on, and nothing is lost', async () => {
    const lines = Array.from({ length: 200_000 }, (_, at) => `r${at % 50} t${at}`)
    const path = await file('large.txt', lines.join('\n'))
    const state = `${path}.import-state`
    const first = startCli(['import', path], addresses())
    const ended = collect(first)
    await expect
      .poll(async () => Number(/"linesDone":(\d+)/.exec(await readFile(state, 'utf8'))?.[1]), {
        timeout: 60_000,
      })
      .toBeGreaterThan(0)
    first.kill('SIGINT')
    const { code, err } = await ended
    expect(code).toBe(130)
    expect(err).toContain('the same command goes on there')
    const second = await cli('import', path)
    expect(second.err).toContain('Going on after line')
    expect(second.out).toContain('200,000 records imported from 200,000 lines')
    expect(second.code).toBe(0)
    expect((await cli('following', 'r7')).out.trim().split('\n')).toHaveLength(4_000)
  })

  test.each([
    ['an empty file', 'empty.txt', Buffer.alloc(0), 'is empty'],
    ['a binary file', 'binary.txt', Buffer.from([1, 2, 0, 3]), 'is binary'],
    [
      'a broken gzip file',
      'broken.gz',
      gzipSync('a b\n'.repeat(50)).subarray(0, 25),
      'broken gzip',
    ],
  ])('%s is refused', async (_, name, content, message) => {
    const path = await file(name, content)
    expectRefusal(await cli('import', path), 2, message)
    expect(existsSync(`${path}.import-state`)).toBe(false)
  })
})

describe('used wrongly', () => {
  test.each([
    [['publish'], 2, "missing required argument 'author'"],
    [['publish', 'bob'], 2, 'give a text'],
    [['follow', 'alice', 'alice'], 2, ''],
    [['follow', '', 'bob'], 2, ''],
    [['dashboard', 'alice', '--limit', '0'], 2, 'whole number'],
    [['dashboard', 'alice', '--all', '--watch'], 2, 'give one of them'],
    [['explain', 'alice', 'bob'], 2, 'AUTHOR/POST_ID'],
    [['edit', 'bob/1', 'x'], 1, ''],
    [['firehose', '--from', 'never'], 2, 'no place in the firehose'],
    [['firehose', '--from', 'not-a-position'], 2, ''],
    [['firehose', '--from', '0:999999999'], 1, ''],
    [['import', '/no/such/file'], 2, 'there is no such file'],
    [['nonsense'], 2, "unknown command 'nonsense'"],
    [['follow', 'alice', 'bob', '--address', 'x:y'], 2, 'is no address'],
    [['serve', '--port', 'x', '--cells', '0'], 2, '--cells'],
  ])('cellfeed %j ends with %d and says why', async (argv, code, message) => {
    expectRefusal(await cli(...argv), code, message)
  })

  test('ids and texts over their limits are refused', async () => {
    expectRefusal(await cli('follow', 'x'.repeat(65), 'bob'), 2, '64')
    expectRefusal(await cli('publish', 'bob', 'x'.repeat(65_537)), 2, '65536')
  })

  test('without a server every command says so, with exit code 3', async () => {
    const { port } = await freePorts()
    const address = `127.0.0.1:${port}`
    for (const argv of [['dashboard', 'alice'], ['publish', 'bob', 'x'], ['cells'], ['firehose']]) {
      expectRefusal(await runCli(argv, { address }), 3, 'no cellfeed server answers')
    }
  })

  test('a second server on the same folder is refused', async () => {
    const { port, adminPort, statusPort } = await freePorts()
    const places = ['--port', port, '--admin-port', adminPort, '--status-port', statusPort]
    const ran = await cli('serve', '--data', join(folder, 'data'), ...places.map(String))
    expectRefusal(ran, ran.code ?? -1, 'in use')
    expect(ran.code).toBeGreaterThan(0)
  })

  test('help has examples for every command', async () => {
    const help = await cli('--help')
    const commands = [...help.out.matchAll(/^ {2}([a-z-]+) {2,}[A-Z]/gm)].map((match) => match[1])
    expect(commands).toContain('help')
    expect(commands.length).toBeGreaterThan(18)
    for (const command of commands.filter((name) => name !== 'help')) {
      const ran = await cli(command ?? '', '--help')
      expect(ran.code).toBe(0)
      expect(ran.out).toContain('Examples:')
    }
  })
})
