/**
 * What a reporter adds up besides a miner's own (contract §5): for each entry of pool_report_configs the
 * same amount under the entry's user. Common to all reporters. Entry point: extraSlices.
 */
import type { ShareSource, SinkContext } from '../ports.ts';

/** The settings that all reporters have. */
export interface ReportSettings {
  readonly pool_report_configs: readonly {
    readonly user: string;
    readonly worker_format_string: string;
    readonly report_merge: boolean;
  }[];
  /** Number of the payout chain. */
  readonly chain: number;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface ExtraSlice {
  readonly user: string;
  readonly worker: string;
}

/**
 * Gives, for a slice counted at `source`, under which other names the same amount is reported. The
 * result is the same object for the same source.
 */
export function extraSlices(
  context: Pick<SinkContext<ReportSettings>, 'settings' | 'serverName' | 'merged'>,
): (source: ShareSource) => readonly ExtraSlice[] {
  const { settings, serverName, merged } = context;
  const known = new Map<string, readonly ExtraSlice[]>();
  return (source) => {
    const key = `${source.chain}\0${source.currency}\0${source.algorithm}`;
    const cached = known.get(key);
    if (cached !== undefined) return cached;
    const main = source.currency === '' ? 'UNKNOWN' : source.currency;
    const slices = settings.pool_report_configs.flatMap((entry) => {
      const currencies = entry.report_merge ? [main, ...(merged[source.chain] ?? [])] : [main];
      return currencies.map((currency) => ({
        user: entry.user,
        worker: filled(entry.worker_format_string, {
          ...settings.attrs,
          algo: source.algorithm,
          currency,
          server_name: serverName,
        }),
      }));
    });
    known.set(key, slices);
    return slices;
  };
}

/** `{name}` becomes the value of that name; a name that is not known stays as it is written. */
function filled(format: string, values: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{(\w+)\}/g, (text, name: string) =>
    Object.hasOwn(values, name) ? values[name]! : text,
  );
}
