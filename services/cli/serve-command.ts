// serve: a whole cluster in this process.

import { accepted, type ServerCommand, UNTIL_STOPPED } from './server-command.ts'

export const SERVE: ServerCommand = {
  name: 'serve',
  summary: 'Run a cluster in one process',
  description: `Run a cluster in one process, ${UNTIL_STOPPED}`,
  examples: [
    ['cellfeed serve', 'on 127.0.0.1:7400, everything in ./cellfeed-data'],
    ['cellfeed serve --data /var/lib/feeds --cells 4', 'in a folder of its own, with four cells'],
    ['cellfeed serve --port 0 --admin-port 0', 'on any free ports; the first line says which'],
  ],
  flags: async () => (await import('../serve/config.ts')).SERVE_FLAGS,
  run: async (raw, environment, output) => {
    const { parseServeConfig } = await import('../serve/config.ts')
    const config = accepted(parseServeConfig(raw, environment))
    const { runServe } = await import('../serve/run.ts')
    return runServe(config, output)
  },
}
