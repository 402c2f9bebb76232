-- +goose Up

-- What is fixed when the database is made, and how often keys were doomed.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO settings (name, value) VALUES ('dooms', '0');

-- Frames in the order in which they came.
CREATE TABLE frames (
    id       INTEGER PRIMARY KEY,
    fleet    TEXT    NOT NULL,
    device   BLOB    NOT NULL,
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    received INTEGER NOT NULL,
    kind     INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    late     BOOLEAN NOT NULL,
    sealed   BLOB    NOT NULL
);

-- Where a device's frames are, of the frames up to cursor.indexed. The frames after it are looked through, and indexed many at a time:
-- one page of the index for each frame would be written otherwise, ten times what the frame has.
CREATE TABLE frame_index (
    device   BLOB    NOT NULL,
    sequence INTEGER NOT NULL,
    frame    INTEGER NOT NULL,
    PRIMARY KEY (device, sequence)
) WITHOUT ROWID;

CREATE TABLE cursor (
    last    INTEGER NOT NULL, -- the last frame's ID; they are never used again
    indexed INTEGER NOT NULL
);
INSERT INTO cursor (last, indexed) VALUES (0, 0);

-- What was received, and the ID of the last frame of the epoch.
CREATE TABLE counts (
    fleet      TEXT    NOT NULL,
    epoch      INTEGER NOT NULL,
    frames     INTEGER NOT NULL,
    readings   INTEGER NOT NULL,
    late       INTEGER NOT NULL,
    last_frame INTEGER NOT NULL,
    PRIMARY KEY (fleet, epoch)
) WITHOUT ROWID;

-- Apart from devices, whose rows are large and change rarely.
CREATE TABLE progress (
    device  BLOB    NOT NULL PRIMARY KEY,
    through INTEGER NOT NULL,
    head    INTEGER NOT NULL, -- the largest sequence that is stored
    seen    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE devices (
    id          BLOB    NOT NULL PRIMARY KEY,
    fleet       TEXT    NOT NULL,
    chunk       INTEGER NOT NULL,
    slot        INTEGER NOT NULL,
    certificate BLOB,
    generation  INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    possession  BLOB,
    from_epoch  INTEGER NOT NULL,
    until_epoch INTEGER NOT NULL,
    offered     INTEGER NOT NULL
);
CREATE UNIQUE INDEX devices_seat ON devices (fleet, chunk, slot) WHERE state <> 'retired';

CREATE TABLE snapshots (
    fleet    TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    device   BLOB    NOT NULL,
    sequence INTEGER NOT NULL,
    sealed   BLOB    NOT NULL,
    PRIMARY KEY (fleet, epoch, device)
);
CREATE INDEX snapshots_device ON snapshots (fleet, device, epoch);

CREATE TABLE quarantine (
    id       TEXT    NOT NULL PRIMARY KEY,
    fleet    TEXT    NOT NULL,
    device   BLOB    NOT NULL,
    subject  TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    received INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    sealed   BLOB    NOT NULL,
    replay   BOOLEAN NOT NULL
);
CREATE INDEX quarantine_device ON quarantine (device, id);

CREATE TABLE reports (
    fleet       TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    device      BLOB    NOT NULL,
    chunk       INTEGER NOT NULL,
    slot        INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    sealed      BLOB    NOT NULL,
    attestation BLOB,
    own         BOOLEAN NOT NULL,
    flags       TEXT    NOT NULL,
    PRIMARY KEY (fleet, epoch, device)
);

CREATE TABLE closings (
    fleet    TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    chunks   INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    frames   INTEGER NOT NULL,
    late     INTEGER NOT NULL,
    PRIMARY KEY (fleet, epoch)
);

CREATE TABLE chunks (
    fleet        TEXT    NOT NULL,
    epoch        INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    closed       INTEGER NOT NULL,
    anchor       BLOB,
    attestations BLOB,
    attested     INTEGER NOT NULL,
    enrolled     INTEGER NOT NULL,
    opening      BLOB,
    absent       BLOB,
    tx_id        TEXT    NOT NULL,
    height       INTEGER NOT NULL,
    error        TEXT    NOT NULL,
    PRIMARY KEY (fleet, epoch, number)
);

-- Data keys, wrapped. doomed: not to be used any more; shredded: destroyed at that time.
CREATE TABLE data_keys (
    fleet       TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    first_epoch INTEGER NOT NULL,
    last_epoch  INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    doomed      BOOLEAN NOT NULL,
    shredded    INTEGER NOT NULL,
    wrapped     BLOB,
    PRIMARY KEY (fleet, period)
);
