// publish, edit, delete.

import type { Command } from 'commander'
import { type AddressFlags, addressFlags, collect, examples, withServer } from './client-command.ts'
import { usageFailure } from './exit.ts'
import { parsePostName, postName } from './post-name.ts'
import { harmless, jsonLine } from './print.ts'
import type { Terminal } from './terminal.ts'

interface PublishFlags extends AddressFlags {
  readonly tag?: readonly string[]
  readonly reblog?: string
  readonly followersOnly?: boolean
  readonly externalId?: string
  readonly json?: boolean
}

export function addPostCommands(program: Command, terminal: Terminal): void {
  const publish = addressFlags(
    program
      .command('publish <author> [text]')
      .summary('Publish a post')
      .description("Publish a post, and print its name; a text of '-' is read from standard input")
      .option('--tag <tag>', 'add a tag (may be repeated)', collect)
      .option('--reblog <post>', 'make it a reblog of AUTHOR/POST_ID; the text may be left out')
      .option('--followers-only', "show it to the author's followers only")
      .option('--external-id <id>', "your product's own id of the post")
      .option('--json', 'print JSON'),
  ).action(async (author: string, text: string | undefined, flags: PublishFlags) => {
    if (text === undefined && flags.reblog === undefined) {
      throw usageFailure(`give a text: cellfeed publish ${author} "hello"`)
    }
    const reblogOf = flags.reblog === undefined ? undefined : parsePostName(flags.reblog)
    const post = {
      text: await textOf(text ?? '', terminal),
      tags: flags.tag ?? [],
      reblogOf,
      audience: flags.followersOnly ? ('followers' as const) : ('public' as const),
      externalId: flags.externalId,
    }
    await withServer(terminal, flags, async (feed) => {
      const published = await feed.publish(author, post)
      terminal.out(flags.json ? jsonLine(published) : harmless(postName(published)))
    })
  })
  examples(publish, [
    ['cellfeed publish bob "hello"', "it is on all of bob's followers' dashboards"],
    ['cellfeed publish bob "look" --tag cats --tag tea', 'with tags'],
    ['cellfeed publish carol --reblog bob/345678901234567890', "reblog bob's post"],
    ['cellfeed publish bob - < letter.txt', 'the text from a file'],
  ])

  const edit = addressFlags(
    program
      .command('edit <post> <text>')
      .summary('Replace a text and tags')
      .description("Replace a post's text and tags; a text of '-' is read from standard input")
      .option('--tag <tag>', 'a tag; without, it has none afterwards (may be repeated)', collect),
  ).action(async (name: string, text: string, flags: AddressFlags & { tag?: string[] }) => {
    const post = parsePostName(name)
    const content = { text: await textOf(text, terminal), tags: flags.tag ?? [] }
    await withServer(terminal, flags, async (feed) => {
      await feed.editPost(post, content)
      terminal.out(harmless(`${postName(post)} edited`))
    })
  })
  examples(edit, [['cellfeed edit bob/345678901234567890 "hello, world"', '']])

  const remove = addressFlags(
    program
      .command('delete <posts...>')
      .summary('Delete posts, for good')
      .description('Delete posts, for good; deleting what is not there succeeds'),
  ).action(async (names: string[], flags: AddressFlags) => {
    const posts = names.map(parsePostName)
    await withServer(terminal, flags, async (feed) => {
      for (const post of posts) {
        await feed.deletePost(post)
        terminal.out(harmless(`${postName(post)} deleted`))
      }
    })
  })
  examples(remove, [['cellfeed delete bob/345678901234567890', '']])
}

/** A text given as an argument, or the whole standard input. */
async function textOf(given: string, terminal: Terminal): Promise<string> {
  if (given !== '-') return given
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of terminal.stdin) {
    chunks.push(chunk)
    bytes += chunk.length
    // The server says what its limit is: read just enough to have it say so.
    if (bytes > 1 << 20) break
  }
  try {
    return new TextDecoder('utf-8', { fatal: true })
      .decode(Buffer.concat(chunks))
      .replace(/\n$/, '')
  } catch (cause) {
    throw usageFailure('what comes on standard input is no text (not UTF-8)', cause)
  }
}
