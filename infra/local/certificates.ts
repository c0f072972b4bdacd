// A certificate authority and one server certificate for 127.0.0.1, made by openssl, for tests of TLS. Their keys lie
// readable beside them: never for anything else.

import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type LocalCertificates = {
  /** PEM text: what clients trust. */
  readonly ca: string
  /** PEM files. */
  readonly caPath: string
  readonly certificatePath: string
  readonly keyPath: string
  /** Key and certificate together, as Java servers take them. */
  readonly keystorePath: string
  readonly keystorePassword: string
}

const DAYS = '30'
const KEYSTORE_PASSWORD = 'for-tests'

export async function makeCertificates(folder: string): Promise<LocalCertificates> {
  const at = (name: string) => join(folder, name)
  // As on a command line: no argument here holds a space but the last.
  const openssl = (line: string, ...last: string[]) =>
    promisify(execFile)('openssl', [...line.split(' '), ...last], { cwd: folder })
  await mkdir(folder, { recursive: true })
  await writeFile(at('server.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const key = 'req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  await openssl(
    `${key} -x509 -days ${DAYS} -keyout ca.key -out ca.pem -subj`,
    '/CN=cellfeed local authority',
  )
  await openssl(`${key} -keyout server.key -out server.csr -subj`, '/CN=localhost')
  const signed = '-CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext'
  await openssl(`x509 -req -days ${DAYS} ${signed} -in server.csr -out`, 'server.pem')
  await openssl(
    `pkcs12 -export -in server.pem -inkey server.key -certfile ca.pem -out server.p12 -passout`,
    `pass:${KEYSTORE_PASSWORD}`,
  )
  return {
    ca: await readFile(at('ca.pem'), 'utf8'),
    caPath: at('ca.pem'),
    certificatePath: at('server.pem'),
    keyPath: at('server.key'),
    keystorePath: at('server.p12'),
    keystorePassword: KEYSTORE_PASSWORD,
  }
}
