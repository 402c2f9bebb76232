-- +goose Up

-- acknowledged: the sender was told that the frame is dealt with, and does not keep it. plain: what is sealed is the frame, not the
-- message that it came in.
ALTER TABLE quarantine ADD COLUMN acknowledged BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE quarantine ADD COLUMN plain BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE quarantine SET acknowledged = TRUE WHERE reason IN ('clock', 'content', 'refused', 'poison');
UPDATE quarantine SET plain = TRUE WHERE reason IN ('clock', 'content', 'refused', 'conflict', 'early');

-- What is acknowledged is counted by device, the rest is trimmed by age.
CREATE INDEX quarantine_acknowledged ON quarantine (device) WHERE acknowledged;
CREATE INDEX quarantine_rest ON quarantine (id) WHERE NOT acknowledged;
CREATE INDEX quarantine_rest_device ON quarantine (device, id) WHERE NOT acknowledged;
