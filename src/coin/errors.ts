/** What the coin room throws: malformed bytes, addresses, templates' outputs, impossible coinbases. */
import { PoolError } from '../errors.ts';

export class CoinError extends PoolError {}
