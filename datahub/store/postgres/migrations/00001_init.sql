-- +goose Up

-- What is fixed when the database is made, and how often keys were doomed.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO settings (name, value) VALUES ('dooms', '0');

-- Frames by epoch: partitions are made as epochs come, and dropped. Their unique key has to hold the epoch; that sequences are unique
-- over all epochs is seen to with progress.head. What is sealed does not compress.
CREATE TABLE frames (
    fleet    TEXT    NOT NULL,
    device   BYTEA   NOT NULL,
    epoch    BIGINT  NOT NULL,
    sequence BIGINT  NOT NULL,
    received BIGINT  NOT NULL,
    kind     BIGINT  NOT NULL,
    readings BIGINT  NOT NULL,
    late     BOOLEAN NOT NULL,
    sealed   BYTEA   NOT NULL,
    PRIMARY KEY (device, sequence, epoch)
) PARTITION BY RANGE (epoch);
ALTER TABLE frames ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- pruned: the frames of the epoch were deleted since.
CREATE TABLE counts (
    fleet    TEXT    NOT NULL,
    epoch    BIGINT  NOT NULL,
    frames   BIGINT  NOT NULL,
    readings BIGINT  NOT NULL,
    late     BIGINT  NOT NULL,
    pruned   BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (fleet, epoch)
) WITH (fillfactor = 40);

-- Apart from devices, whose rows are large and change rarely.
CREATE TABLE progress (
    device  BYTEA   NOT NULL PRIMARY KEY,
    through BIGINT  NOT NULL,
    head    BIGINT  NOT NULL, -- the largest sequence that is stored
    seen    BIGINT  NOT NULL
) WITH (fillfactor = 40);

CREATE TABLE devices (
    id          BYTEA   NOT NULL PRIMARY KEY,
    fleet       TEXT    NOT NULL,
    chunk       BIGINT  NOT NULL,
    slot        BIGINT  NOT NULL,
    certificate BYTEA,
    generation  BIGINT  NOT NULL,
    state       TEXT    NOT NULL,
    possession  BYTEA,
    from_epoch  BIGINT  NOT NULL,
    until_epoch BIGINT  NOT NULL,
    offered     BIGINT  NOT NULL
);
CREATE UNIQUE INDEX devices_seat ON devices (fleet, chunk, slot) WHERE state <> 'retired';

CREATE TABLE snapshots (
    fleet    TEXT    NOT NULL,
    epoch    BIGINT  NOT NULL,
    device   BYTEA   NOT NULL,
    sequence BIGINT  NOT NULL,
    sealed   BYTEA   NOT NULL,
    PRIMARY KEY (fleet, epoch, device)
);
ALTER TABLE snapshots ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX snapshots_device ON snapshots (fleet, device, epoch);

CREATE TABLE quarantine (
    id       TEXT    NOT NULL PRIMARY KEY,
    fleet    TEXT    NOT NULL,
    device   BYTEA   NOT NULL,
    subject  TEXT    NOT NULL,
    epoch    BIGINT  NOT NULL,
    received BIGINT  NOT NULL,
    reason   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    size     BIGINT  NOT NULL,
    sealed   BYTEA   NOT NULL,
    replay   BOOLEAN NOT NULL
);
ALTER TABLE quarantine ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX quarantine_device ON quarantine (device, id);

CREATE TABLE reports (
    fleet       TEXT    NOT NULL,
    epoch       BIGINT  NOT NULL,
    device      BYTEA   NOT NULL,
    chunk       BIGINT  NOT NULL,
    slot        BIGINT  NOT NULL,
    sequence    BIGINT  NOT NULL,
    received    BIGINT  NOT NULL,
    sealed      BYTEA   NOT NULL,
    attestation BYTEA,
    own         BOOLEAN NOT NULL,
    flags       TEXT    NOT NULL,
    PRIMARY KEY (fleet, epoch, device)
) PARTITION BY RANGE (epoch);

CREATE TABLE closings (
    fleet    TEXT    NOT NULL,
    epoch    BIGINT  NOT NULL,
    started  BIGINT  NOT NULL,
    ended    BIGINT  NOT NULL,
    chunks   BIGINT  NOT NULL,
    readings BIGINT  NOT NULL,
    frames   BIGINT  NOT NULL,
    late     BIGINT  NOT NULL,
    PRIMARY KEY (fleet, epoch)
);

CREATE TABLE chunks (
    fleet        TEXT    NOT NULL,
    epoch        BIGINT  NOT NULL,
    number       BIGINT  NOT NULL,
    state        TEXT    NOT NULL,
    closed       BIGINT  NOT NULL,
    anchor       BYTEA,
    attestations BYTEA,
    attested     BIGINT  NOT NULL,
    enrolled     BIGINT  NOT NULL,
    opening      BYTEA,
    absent       BYTEA,
    tx_id        TEXT    NOT NULL,
    height       BIGINT  NOT NULL,
    error        TEXT    NOT NULL,
    PRIMARY KEY (fleet, epoch, number)
);

-- Data keys, wrapped. doomed: not to be used any more; shredded: destroyed at that time.
CREATE TABLE data_keys (
    fleet       TEXT    NOT NULL,
    period      BIGINT  NOT NULL,
    first_epoch BIGINT  NOT NULL,
    last_epoch  BIGINT  NOT NULL,
    created     BIGINT  NOT NULL,
    doomed      BOOLEAN NOT NULL,
    shredded    BIGINT  NOT NULL,
    wrapped     BYTEA,
    PRIMARY KEY (fleet, period)
);
