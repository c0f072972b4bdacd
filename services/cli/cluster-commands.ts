// The commands that set up a cluster on Kafka, Cassandra and Redis, and run its processes.

import { accepted, type ServerCommand, UNTIL_STOPPED } from './server-command.ts'

const INIT: ServerCommand = {
  name: 'init',
  summary: 'Make the topics and tables of a cluster',
  description:
    'Make the topics, tables and first documents of a cluster on Kafka and Cassandra. Safe to repeat: what is\n' +
    'there is compared and left as it is (exit code 1: something differs that init does not change)',
  examples: [
    ['cellfeed init --cells 3', 'a cluster of three cells on the engines of this machine'],
    ['cellfeed init --replication 1', 'on a single Kafka broker and a single Cassandra node'],
    ['cellfeed init --print', 'what an administrator would run instead'],
  ],
  flags: async () => (await import('../init/config.ts')).INIT_FLAGS,
  run: async (raw, environment, output) => {
    const { parseInitConfig } = await import('../init/config.ts')
    const config = accepted(parseInitConfig(raw, environment))
    const { runInit } = await import('../init/main.ts')
    return runInit(config, output)
  },
}

const CELL: ServerCommand = {
  name: 'cell',
  summary: 'Run one cell of a cluster',
  description: `Run one cell of a cluster, ${UNTIL_STOPPED}`,
  examples: [
    ['cellfeed cell --name cell-1', 'on 127.0.0.1:7410, with the engines of this machine'],
    ['cellfeed cell --name cell-2 --port 7420 --status-port 7421', 'a second one beside it'],
  ],
  flags: async () => (await import('../cell/config.ts')).CELL_FLAGS,
  run: async (raw, environment, output) => {
    const { parseCellConfig } = await import('../cell/config.ts')
    const config = accepted(parseCellConfig(raw, environment))
    const { runCell } = await import('../cell/main.ts')
    return runCell(config, output)
  },
}

const GATEWAY: ServerCommand = {
  name: 'gateway',
  summary: 'Run a gateway of a cluster: the public API',
  description: `Run a gateway of a cluster, the public API, ${UNTIL_STOPPED}`,
  examples: [['cellfeed gateway', 'on 127.0.0.1:7400, with the engines of this machine']],
  flags: async () => (await import('../gateway/config.ts')).GATEWAY_FLAGS,
  run: async (raw, environment, output) => {
    const { parseGatewayConfig } = await import('../gateway/config.ts')
    const config = accepted(parseGatewayConfig(raw, environment))
    const { runGateway } = await import('../gateway/main.ts')
    return runGateway(config, output)
  },
}

const ROUTER: ServerCommand = {
  name: 'router',
  summary: 'Run a router of a cluster: who lives where',
  description: `Run a router of a cluster, which tells clients the cell of a user, ${UNTIL_STOPPED}`,
  examples: [['cellfeed router', 'on 127.0.0.1:7403, with the engines of this machine']],
  flags: async () => (await import('../router/config.ts')).ROUTER_FLAGS,
  run: async (raw, environment, output) => {
    const { parseRouterConfig } = await import('../router/config.ts')
    const config = accepted(parseRouterConfig(raw, environment))
    const { runRouter } = await import('../router/main.ts')
    return runRouter(config, output)
  },
}

const CONTROLLER: ServerCommand = {
  name: 'controller',
  summary: 'Run the controller of a cluster: the admin API',
  description: `Run the controller of a cluster, the admin API, ${UNTIL_STOPPED}`,
  examples: [['cellfeed controller', 'on 127.0.0.1:7401, with the engines of this machine']],
  flags: async () => (await import('../controller/config.ts')).CONTROLLER_FLAGS,
  run: async (raw, environment, output) => {
    const { parseControllerConfig } = await import('../controller/config.ts')
    const config = accepted(parseControllerConfig(raw, environment))
    const { runController } = await import('../controller/main.ts')
    return runController(config, output)
  },
}

export const CLUSTER_COMMANDS = [INIT, CELL, GATEWAY, ROUTER, CONTROLLER]
