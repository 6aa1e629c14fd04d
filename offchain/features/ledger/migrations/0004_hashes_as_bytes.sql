-- As before, but the hashes of all rows come as one value, 32 bytes a row: an array of them took PostgreSQL four times as
-- long to read. A transfer without a hash has zeros there.
DROP FUNCTION ledger_write;
CREATE FUNCTION ledger_write(
  expected bigint, new_transfer bigint, new_account bigint, now_ms bigint, in_unit text,
  head_unit text[], head_height bigint[], head_hash bytea[], head_openings bigint[], head_opening_hash bytea[],
  o_id bigint[], o_name text[], o_unit text[], o_external boolean[],
  a_id bigint[], a_balance numeric[], a_pending numeric[], a_incoming numeric[], a_entries bigint[],
  a_hourly numeric[], a_daily numeric[], a_weekly numeric[], a_monthly numeric[], a_charged bigint[],
  k_digest uuid[], k_request uuid[], k_transfer bigint[],
  t_id bigint[], t_key text[], t_unit text[], t_debit bigint[], t_credit bigint[], t_amount numeric[],
  t_expires bigint[], t_reference text[], t_memo text[], t_metadata text[], t_fee numeric[], t_fee_of bigint[], t_reverses bigint[],
  t_hash bytea,
  j_transfer bigint[], j_unit text[], j_height bigint[], j_debit bigint[], j_credit bigint[], j_amount numeric[],
  j_debit_entry bigint[], j_debit_balance numeric[], j_credit_entry bigint[], j_credit_balance numeric[], j_hash bytea
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1651864434);
  PERFORM pg_advisory_xact_lock(1651864435, (expected & 2147483647)::int);
  -- Seen now, a passed version keeps these rows from meeting those of whoever took it.
  IF (SELECT version > expected FROM ledger_head) THEN
    RAISE EXCEPTION 'the ledger is beyond version %', expected USING ERRCODE = 'LG001';
  END IF;
  IF in_unit IS NOT NULL THEN
    t_unit := array_fill(in_unit, ARRAY[cardinality(t_id)]);
    j_unit := array_fill(in_unit, ARRAY[cardinality(j_transfer)]);
  END IF;
  INSERT INTO ledger_key (digest, request, transfer_id, used_at)
    SELECT digest, request, id, now_ms FROM unnest(k_digest, k_request, k_transfer) AS k(digest, request, id)
    -- Neighbours in the index are written together.
    ORDER BY digest;
  IF cardinality(t_id) > 0 THEN
    INSERT INTO transfer (id, key, unit, debit, credit, amount, created_at, expires_at, reference, memo, metadata, fee,
                          fee_of, reverses, hash)
      SELECT unnest(t_id), unnest(t_key), unnest(t_unit), unnest(t_debit), unnest(t_credit),
             unnest(t_amount), now_ms, unnest(t_expires), unnest(t_reference), unnest(t_memo), unnest(t_metadata),
             unnest(t_fee), unnest(t_fee_of), unnest(t_reverses),
             nullif(substring(t_hash FROM 32 * generate_subscripts(t_id, 1) - 31 FOR 32), decode(repeat('00', 32), 'hex'));
  END IF;
  IF cardinality(j_transfer) > 0 THEN
    INSERT INTO journal (transfer_id, unit, height, debit, credit, amount, debit_entry, debit_balance, credit_entry,
                         credit_balance, resolved_at, hash)
      SELECT unnest(j_transfer), unnest(j_unit), unnest(j_height), unnest(j_debit), unnest(j_credit),
             unnest(j_amount), unnest(j_debit_entry), unnest(j_debit_balance), unnest(j_credit_entry),
             unnest(j_credit_balance), now_ms,
             substring(j_hash FROM 32 * generate_subscripts(j_transfer, 1) - 31 FOR 32);
  END IF;

  -- From here on the versions follow each other.
  PERFORM pg_advisory_xact_lock(1651864435, ((expected - 1) & 2147483647)::int);
  UPDATE ledger_head SET version = version + 1, last_transfer = new_transfer, last_account = new_account
  WHERE version = expected;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the ledger is not at version % any more', expected USING ERRCODE = 'LG001';
  END IF;
  IF cardinality(o_id) > 0 THEN
    INSERT INTO account (id, name, unit, external, opened_at)
      SELECT unnest(o_id), unnest(o_name), unnest(o_unit), unnest(o_external), now_ms;
  END IF;
  IF cardinality(a_id) > 0 THEN
    UPDATE account SET balance = n.balance, pending = n.pending, incoming = n.incoming, entries = n.entries,
      spent_hourly = n.hourly, spent_daily = n.daily, spent_weekly = n.weekly, spent_monthly = n.monthly, charged_at = n.charged
    FROM unnest(a_id, a_balance, a_pending, a_incoming, a_entries, a_hourly, a_daily, a_weekly, a_monthly, a_charged)
      AS n(id, balance, pending, incoming, entries, hourly, daily, weekly, monthly, charged)
    WHERE account.id = n.id;
  END IF;
  IF cardinality(head_unit) > 0 THEN
    INSERT INTO journal_head (unit, height, hash, openings, opening_hash)
      SELECT unnest(head_unit), unnest(head_height), unnest(head_hash), unnest(head_openings), unnest(head_opening_hash)
    ON CONFLICT (unit) DO UPDATE SET height = excluded.height, hash = excluded.hash,
      openings = excluded.openings, opening_hash = excluded.opening_hash;
  END IF;
END $$;
