#!/bin/sh
# Kafka in a container, told what to do as Apache's image is: KAFKA_NODE_ID becomes node.id.
set -eu

{
  echo log.dirs=/var/lib/kafka
  env | awk -F= '/^KAFKA_/ && $1 != "KAFKA_HEAP_OPTS" && $1 != "KAFKA_OPTS" {
    name = tolower(substr($1, length("KAFKA_") + 1))
    gsub(/_/, ".", name)
    print name "=" substr($0, length($1) + 2)
  }'
} >/opt/server.properties

java -Xmx128m -XX:TieredStopAtLevel=1 -cp '/opt/kafka/*' kafka.tools.StorageTool \
  format --ignore-formatted --cluster-id "${CLUSTER_ID:-cellfeed-cluster-number1}" --config /opt/server.properties

# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:-} ${KAFKA_OPTS:-} -cp '/opt/kafka/*' -Dlog4j2.configurationFile=/opt/log4j2.properties \
  kafka.Kafka /opt/server.properties
