/**
 * A problem of a configuration file as data, and how values and secrets look in one. `format.ts` makes
 * text of it.
 */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** Key of the component; empty where the file as a whole is meant. */
  readonly component: string;
  /** `LTC.coinservs[0].prot`; empty where the file as a whole is meant. */
  readonly path: string;
  /** From 1; 0 where it has no place in the file. */
  readonly line: number;
  readonly column: number;
  /** What is wrong, without the two below. */
  readonly message: string;
  readonly found?: string;
  readonly expected?: string;
  /** The known name that is most like the one found. */
  readonly nearest?: string;
}

export const REDACTED = '<redacted>';

const SECRET_NAME = /pass|pwd|secret|token|credential|cookie$|auth$|key$/i;

/** Whether a key of unknown meaning is taken for a secret by its name. */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Text without user and password before an `@` and without URL parameters named like secrets. */
export function redactText(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, `$1${REDACTED}@`)
    .replace(/[^\s/]*:[^\s/]*@/g, `${REDACTED}@`)
    .replace(/([?&;][^=&;\s]*(?:pass|pwd|secret|token|key)[^=&;\s]*=)[^&;\s#]*/gi, `$1${REDACTED}`);
}

/** A value as a message shows it: short, without secrets. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') {
    const shown = redactText(value);
    return JSON.stringify(shown.length > 60 ? `${shown.slice(0, 57)}...` : shown);
  }
  if (Array.isArray(value))
    return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  return String(value).slice(0, 80);
}

/** A value of a secret setting: only what kind of thing it is. */
export function secretText(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return `a ${typeof value === 'bigint' ? 'number' : typeof value} (${REDACTED})`;
}

/** Letters to add, drop, change or swap with their neighbour to make `b` of `a`, case ignored. */
function editDistance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length]!;
}

/** The candidate most like `name`, if any is like it: a third of its letters may differ. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.ceil(name.length / 3));
  if (name.length > 128) return undefined;
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
