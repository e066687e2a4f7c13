-- One occurrence may go out in two versions, so that readers of either know it for the same: one id, one row each.
ALTER TABLE outbox DROP CONSTRAINT outbox_id_key;
ALTER TABLE outbox ADD CONSTRAINT outbox_id_type_key UNIQUE (id, type);
