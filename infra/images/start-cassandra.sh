#!/bin/sh
# Cassandra in a container, told what to do as the official image is: MAX_HEAP_SIZE and JVM_EXTRA_OPTS.
set -eu

# shellcheck disable=SC2086
exec java "-Xmx${MAX_HEAP_SIZE:-1G}" @/opt/java-flags ${JVM_EXTRA_OPTS:-} \
  -cp '/opt/cassandra/*' org.apache.cassandra.service.CassandraDaemon
