/**
 * auxpow_check.py, the Python checker of merge-mining proofs, asked about many proofs in one process.
 * Entry point: pythonVerdicts.
 */
import { spawnSync } from 'node:child_process';
import type { AuxPowClaim } from './auxpow-oracle.ts';

const PROGRAM = `
import json, sys
import auxpow_check as o
for line in sys.stdin:
    c = json.loads(line)
    try:
        print(o.check(bytes.fromhex(c["hash"])[::-1], bytes.fromhex(c["proof"]), c["chainId"], c["bits"],
                      {"sha256d": o.sha256d, "scrypt": o.scrypt}[c["pow"]], 1))
    except o.Broken as error:
        print("broken: %s" % error)
`;

/** A line for each proof: `ok size=… slot=…`, or `broken: …` with the first broken rule. */
export function pythonVerdicts(claims: readonly AuxPowClaim[]): string[] {
  const lines = claims.map(({ hashHexBE, proof, chainId, bits, pow }) =>
    JSON.stringify({
      hash: hashHexBE,
      proof: Buffer.from(proof).toString('hex'),
      chainId,
      bits,
      pow,
    }),
  );
  const run = spawnSync('python3', ['-B', '-c', PROGRAM], {
    cwd: import.meta.dirname,
    env: { ...process.env, PYTHONPATH: import.meta.dirname },
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) throw new Error(`auxpow_check.py: ${run.stderr || run.error?.message}`);
  const verdicts = run.stdout.trimEnd().split('\n');
  if (verdicts.length !== claims.length) throw new Error(`auxpow_check.py: ${run.stdout}`);
  return verdicts;
}
