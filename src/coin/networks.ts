/**
 * Address rules of well-known chains, as data: to say whose address a wrong one is, and to find the
 * script of an address where nothing is configured. Source: each chain's chainparams.
 */

export interface AddressRules {
  /** Base58 version numbers; above 255 they are two bytes, big-endian (Zcash family). */
  readonly p2pkh: readonly number[];
  readonly p2sh: readonly number[];
  /** Human-readable parts of segwit addresses; prefixes of cashaddr addresses. */
  readonly hrps: readonly string[];
  /** Four bytes over version and hash; absent: the start of sha256d. */
  readonly checksum?: (versioned: Uint8Array) => Uint8Array;
}

/** Chain name as daemons and operators use it, then network as in getblockchaininfo's `chain`. */
export const NETWORKS = {
  bitcoin: {
    main: { p2pkh: [0], p2sh: [5], hrps: ['bc'] },
    test: { p2pkh: [111], p2sh: [196], hrps: ['tb'] },
    regtest: { p2pkh: [111], p2sh: [196], hrps: ['bcrt'] },
  },
  litecoin: {
    main: { p2pkh: [48], p2sh: [50, 5], hrps: ['ltc'] },
    test: { p2pkh: [111], p2sh: [58, 196], hrps: ['tltc'] },
    regtest: { p2pkh: [111], p2sh: [58, 196], hrps: ['rltc'] },
  },
  dogecoin: {
    main: { p2pkh: [30], p2sh: [22], hrps: [] },
    test: { p2pkh: [113], p2sh: [196], hrps: [] },
    regtest: { p2pkh: [111], p2sh: [196], hrps: [] },
  },
  dash: {
    main: { p2pkh: [76], p2sh: [16], hrps: [] },
    test: { p2pkh: [140], p2sh: [19], hrps: [] },
    regtest: { p2pkh: [140], p2sh: [19], hrps: [] },
  },
  vertcoin: {
    main: { p2pkh: [71], p2sh: [5], hrps: ['vtc'] },
    test: { p2pkh: [74], p2sh: [196], hrps: ['tvtc'] },
  },
  namecoin: {
    main: { p2pkh: [52], p2sh: [13], hrps: ['nc'] },
    test: { p2pkh: [111], p2sh: [196], hrps: ['tn'] },
    regtest: { p2pkh: [111], p2sh: [196], hrps: ['ncrt'] },
  },
  digibyte: {
    main: { p2pkh: [30], p2sh: [63], hrps: ['dgb'] },
    test: { p2pkh: [126], p2sh: [140], hrps: ['dgbt'] },
    regtest: { p2pkh: [126], p2sh: [140], hrps: ['dgbrt'] },
  },
  bitcoincash: {
    main: { p2pkh: [0], p2sh: [5], hrps: ['bitcoincash'] },
    test: { p2pkh: [111], p2sh: [196], hrps: ['bchtest'] },
    regtest: { p2pkh: [111], p2sh: [196], hrps: ['bchreg'] },
  },
  ecash: {
    main: { p2pkh: [0], p2sh: [5], hrps: ['ecash'] },
    test: { p2pkh: [111], p2sh: [196], hrps: ['ectest'] },
    regtest: { p2pkh: [111], p2sh: [196], hrps: ['ecregtest'] },
  },
  firo: {
    main: { p2pkh: [82], p2sh: [7], hrps: [] },
    test: { p2pkh: [65], p2sh: [178], hrps: [] },
    regtest: { p2pkh: [65], p2sh: [178], hrps: [] },
  },
  raptoreum: {
    main: { p2pkh: [60], p2sh: [16], hrps: [] },
  },
  zcash: {
    main: { p2pkh: [0x1cb8], p2sh: [0x1cbd], hrps: [] },
    test: { p2pkh: [0x1d25], p2sh: [0x1cba], hrps: [] },
    regtest: { p2pkh: [0x1d25], p2sh: [0x1cba], hrps: [] },
  },
} as const satisfies Record<string, Readonly<Record<string, AddressRules>>>;
