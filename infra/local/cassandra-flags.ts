// What Cassandra 5.0 needs to be allowed of Java 17: the module options of its own start script.

const EXPORTS = `
java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch
java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server
java.rmi/sun.rmi.transport.tcp java.sql/java.sql jdk.unsupported/sun.misc jdk.management/com.sun.management.internal`

const OPENS = `
java.base/java.io java.base/java.lang java.base/java.lang.module java.base/java.lang.ref java.base/java.lang.reflect
java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic
java.base/jdk.internal.loader java.base/jdk.internal.math java.base/jdk.internal.misc java.base/jdk.internal.module
java.base/jdk.internal.ref java.base/jdk.internal.reflect java.base/jdk.internal.util.jar java.base/sun.nio.ch
java.management/com.sun.jmx.mbeanserver java.rmi/sun.rmi.transport.tcp jdk.management/com.sun.management.internal`

const each = (flag: string, packages: string) =>
  packages
    .trim()
    .split(/\s+/)
    .flatMap((name) => [flag, `${name}=ALL-UNNAMED`])

export const CASSANDRA_MODULE_FLAGS: readonly string[] = [
  '-Djdk.attach.allowAttachSelf=true',
  ...each('--add-exports', EXPORTS),
  ...each('--add-opens', OPENS),
]
