/** A bcoin full node on regtest for tests: the demo's chain, with calls made independently of src/. */
import { startRegtestChain } from '../../src/demo/chain.ts';
import type { ChainOptions, RegtestChain } from '../../src/demo/chain.ts';
import { rpcCall } from './servers.ts';

export interface Bcoin extends RegtestChain {
  cli(method: string, params?: readonly unknown[]): Promise<unknown>;
}

export async function startBcoin(options: ChainOptions = {}): Promise<Bcoin> {
  const chain = await startRegtestChain(options);
  const { port, user, password } = chain.rpc;
  return {
    ...chain,
    cli: (method, params = []) => rpcCall(port, `${user}:${password}`, method, params),
  };
}
