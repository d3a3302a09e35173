/** Free TCP ports on the loopback interface, for servers that cannot choose one themselves. */
import { createServer } from 'node:net';

/** The system may give a port out again once it is closed; two servers of one test need two. */
const given = new Set<number>();

/** A port that was free a moment ago, another one at every call. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  if (given.has(address.port)) return freePort();
  given.add(address.port);
  return address.port;
}
