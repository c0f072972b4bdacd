#!/usr/bin/env bash
# The tests on real servers, in containers by testcontainers, with the images of `make images` instead of the public ones:
# `make test-containers`. Where no docker daemon answers, podman serves its API for as long as the tests run.
# Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/../.."

export CELLFEED_TEST_ENGINES=containers
export CELLFEED_IMAGE_KAFKA=localhost/cellfeed-kafka:4.1.1
export CELLFEED_IMAGE_CASSANDRA=localhost/cellfeed-cassandra:5.0.6
export CELLFEED_IMAGE_REDIS=localhost/cellfeed-redis:7

if ! docker info >/dev/null 2>&1; then
  command -v podman >/dev/null || {
    echo 'make test-containers needs a docker daemon, or podman and runc (Debian: apt-get install podman runc)' >&2
    exit 1
  }
  export CONTAINERS_CONF=$PWD/infra/images/podman.conf
  scratch=$(mktemp -d)
  podman system service --time 0 "unix://$scratch/podman.sock" &
  service=$!
  finish() {
    # No reaper runs here, so what a killed test left is removed by its label.
    podman ps --all --quiet --filter label=org.testcontainers=true | xargs -r podman rm --force --volumes >/dev/null
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
    rm -rf "$scratch"
  }
  trap finish EXIT
  trap 'exit 130' INT TERM
  export DOCKER_HOST=unix://$scratch/podman.sock TESTCONTAINERS_RYUK_DISABLED=true
  for _ in $(seq 100); do [ -S "$scratch/podman.sock" ] && break; sleep 0.1; done
fi

# Tests that start servers of their own do so as processes, whatever the shared ones are: not again.
# shellcheck disable=SC2046
node node_modules/vitest/vitest.mjs run --project servers $(node --import tsx test/servers/projects.ts --shared-only) "$@"
