-- The tables of the Postgres reporter; the schema is the search path of the transaction that runs this.
-- A file here, once released, is never edited: a change is the next number.

-- How far each ledger has been taken. `cursor_key` names ledger, server number and reporter; the row is
-- written in the transaction of the data, which is why nothing is missing and nothing counted twice.
CREATE TABLE origins (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cursor_key  text NOT NULL UNIQUE,
  seq         bigint NOT NULL,
  minute      bigint NOT NULL,
  block       bigint NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sources (
  id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  server     text NOT NULL,
  chain      text NOT NULL,
  currency   text NOT NULL,
  algorithm  text NOT NULL,
  UNIQUE (server, chain, currency, algorithm)
);

-- One row a share; refused shares of a worker may be several in one row (count). Partitioned by day in
-- UTC: an old day is dropped with DROP TABLE shares_YYYYMMDD.
CREATE TABLE shares (
  time             timestamptz NOT NULL,
  origin_id        integer NOT NULL,
  seq              bigint NOT NULL,
  source_id        integer NOT NULL,
  address          text NOT NULL,
  worker           text NOT NULL,
  kind             smallint NOT NULL, -- 0 accepted, 1 duplicate, 2 low difficulty, 3 stale
  difficulty       double precision NOT NULL,
  hash_difficulty  double precision NOT NULL, -- 0 where it is not known
  count            bigint NOT NULL,
  height           bigint NOT NULL,
  solved           boolean NOT NULL
) PARTITION BY RANGE (time);
CREATE INDEX shares_time ON shares (time);

CREATE TABLE minute_slices (
  time        timestamptz NOT NULL,
  source_id   integer NOT NULL,
  address     text NOT NULL,
  worker      text NOT NULL,
  kind        smallint NOT NULL,
  difficulty  double precision NOT NULL,
  count       bigint NOT NULL,
  PRIMARY KEY (time, address, worker, source_id, kind)
);
CREATE INDEX minute_slices_address ON minute_slices (address, time);

-- The sums of pool_report_configs.
CREATE TABLE minute_reports (
  time        timestamptz NOT NULL,
  source_id   integer NOT NULL,
  user_name   text NOT NULL,
  worker      text NOT NULL,
  kind        smallint NOT NULL,
  difficulty  double precision NOT NULL,
  count       bigint NOT NULL,
  PRIMARY KEY (time, user_name, worker, source_id, kind)
);

CREATE TABLE blocks (
  chain               text NOT NULL,
  hash                text NOT NULL,
  currency            text NOT NULL,
  algorithm           text NOT NULL,
  height              bigint NOT NULL,
  address             text NOT NULL,
  worker              text NOT NULL,
  server              text NOT NULL,
  time                timestamptz NOT NULL, -- of the solving share
  total_subsidy       numeric, -- smallest unit, with fees
  fees                numeric,
  bits                text NOT NULL,
  merged              boolean NOT NULL,
  network_difficulty  double precision NOT NULL,
  origin_id           integer NOT NULL,
  state               text NOT NULL, -- pending, accepted, rejected, orphaned, matured
  state_time          timestamptz NOT NULL,
  reported_at         timestamptz, -- accepted for the first time; null: it never was
  PRIMARY KEY (chain, hash)
);
CREATE INDEX blocks_time ON blocks (currency, algorithm, time);
