/** A batch cut down to its first items, to find the one that a back end refuses. */
import type { LedgerPosition } from '../ports.ts';
import type { Extent, LedgerSource } from './source.ts';

/** The first `most` items of an extent: of its shares, or without shares its minutes, or else its events. */
export function limited(
  extent: Extent,
  most: number,
  source: Pick<LedgerSource, 'next' | 'firstMinutes' | 'firstEvents'>,
): Extent | undefined {
  const { from } = extent;
  const cut = (to: Partial<LedgerPosition>, counts: Partial<Extent>): Extent => ({
    ...{ records: 0, minutes: 0, events: 0, atEnd: false },
    ...counts,
    from,
    to: { ...from, ...to },
  });
  if (extent.records > 0) {
    const { to, records } = source.next(from, { maxShares: most, maxSlices: 0 });
    return cut({ seq: to.seq }, { records });
  }
  if (extent.minutes > 0) {
    const ids = source.firstMinutes(from.minute, Math.min(most, extent.minutes));
    return cut({ minute: ids.at(-1) ?? from.minute }, { minutes: ids.length });
  }
  if (extent.events > 0) {
    const ids = source.firstEvents(from.block, Math.min(most, extent.events));
    return cut({ block: ids.at(-1) ?? from.block }, { events: ids.length });
  }
  return undefined;
}
