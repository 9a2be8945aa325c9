import { STATE } from '../record.js'

/**
 * Returns the SQL that takes the journal's lock until the end of the transaction. Every transaction that adds or removes deliveries holds this
 * lock, so that sequences become visible in their order.
 */
export function journalLock (s: string): string {
  return `pg_advisory_xact_lock(hashtextextended('tierhook ' || '${s.replaceAll("'", "''")}', 0))`
}

/**
 * `append_3`: stores new deliveries and finds copies, under the journal's lock. A sequence is drawn for every delivery of the call, so that they
 * are stored in the order of the call. The first row of the result (`n` is 0) has the sequence before theirs. The other rows are for deliveries
 * that are not stored under their own sequence: a copy, a refused one, or one that an earlier try has stored with the same id. Deliveries with
 * the same key are handled in rounds: the first of each key, then all others. If the first one of a key was refused, they are handled one after
 * another. The id of a copy is added to `refused`, so that the copy is counted once, even if the call is repeated.
 */
export function appendFunction (s: string): string {
  return `
  CREATE OR REPLACE FUNCTION ${s}.append_3 (p_deadline bigint, p_window bigint, p_count integer, p_rounds integer, p_records json, p_bodies bytea)
  RETURNS TABLE (n bigint, sequence bigint, copy_id text, copy_verdict text, at bigint) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    v_now bigint;
    v_base bigint;
    v_last integer := p_rounds;
  BEGIN
    PERFORM set_config('lock_timeout', greatest(1, p_deadline - ${s}.now_ms())::text, true);
    IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
    PERFORM ${journalLock(s)};
    v_now := ${s}.now_ms();
    IF v_now > p_deadline THEN RAISE EXCEPTION 'the append came too late' USING ERRCODE = 'TH001'; END IF;
    UPDATE ${s}.counters SET value = value + p_count WHERE name = 'sequence' RETURNING value - p_count INTO v_base;
    RETURN QUERY SELECT 0::bigint, v_base, NULL::text, NULL::text, v_now;
    IF p_rounds > 2 AND NOT EXISTS (SELECT 1 FROM json_to_recordset(p_records) AS g (id text, round integer) JOIN ${s}.refused f ON f.id = g.id WHERE g.round = 1) THEN v_last := 2; END IF;
    FOR v_round IN 1 .. v_last LOOP
      RETURN QUERY
      WITH mine AS MATERIALIZED (
        SELECT g.*, (SELECT d.sequence FROM ${s}.deliveries d WHERE d.id = g.id) AS stored, EXISTS (SELECT 1 FROM ${s}.refused f WHERE f.id = g.id) AS refused, k.sequence AS copied, k.id AS copy_id, k.verdict AS copy_verdict
        FROM ROWS FROM (json_to_recordset(p_records) AS (id text, received_at bigint, event_type text, verdict text, hold smallint, source_object text, source_id text, event_id text,
          project_id text, customer_id text, campaign_id text, faults text, headers text, body_bytes integer, checksum bigint, key text, within bigint, start integer, round integer))
          WITH ORDINALITY AS g (id, received_at, event_type, verdict, hold, source_object, source_id, event_id, project_id, customer_id, campaign_id, faults, headers, body_bytes, checksum, key, within, start, round, n)
        LEFT JOIN (${s}.dedupe_keys k LEFT JOIN ${s}.deliveries d ON d.sequence = k.sequence) ON k.key = g.key AND k.id <> g.id AND coalesce(d.hold, 0) <> ${STATE.damaged}
          AND (k.received_at >= v_now - coalesce(g.within, p_window) OR (g.within IS NULL AND d.sequence IS NOT NULL))
        WHERE g.round = v_round OR (v_round = v_last AND g.round > v_last)
      ), fresh AS (SELECT * FROM mine WHERE stored IS NULL AND NOT refused AND copied IS NULL
      ), inserted AS (
        INSERT INTO ${s}.deliveries (sequence, id, received_at, event_type, verdict, hold, source_object, source_id, event_id, project_id, customer_id, campaign_id, faults, headers, body_bytes, checksum, raw_body)
        SELECT v_base + n, id, received_at, event_type, verdict, hold, source_object, source_id, event_id, project_id, customer_id, campaign_id, faults, headers, body_bytes, checksum,
          substr(p_bodies, start + 1, body_bytes) FROM fresh
      ), keyed AS (
        INSERT INTO ${s}.dedupe_keys (key, id, verdict, sequence, received_at) SELECT DISTINCT ON (key) key, id, verdict, v_base + n, received_at
        FROM fresh WHERE key IS NOT NULL ORDER BY key, n DESC
        ON CONFLICT (key) DO UPDATE SET id = excluded.id, verdict = excluded.verdict, sequence = excluded.sequence, received_at = excluded.received_at
      ), copies AS (
        INSERT INTO ${s}.refused (id, at) SELECT id, v_now FROM mine WHERE stored IS NULL AND copied IS NOT NULL AND NOT refused RETURNING id
      ), counted AS (
        UPDATE ${s}.deliveries d SET duplicates = d.duplicates + c.times FROM (SELECT copied, count(*) AS times FROM mine JOIN copies USING (id) GROUP BY copied) c WHERE d.sequence = c.copied
      )
      SELECT n, stored, CASE WHEN stored IS NULL THEN copy_id END, CASE WHEN stored IS NULL THEN copy_verdict END, v_now FROM mine WHERE stored IS NOT NULL OR refused OR copied IS NOT NULL;
    END LOOP;
  END $$;`
}

/**
 * `withdraw_1`: ensures that no delivery with these ids will be stored. A delivery that is stored already stays, because a forwarder may have
 * read it.
 * `pulse_1`: records that a replica accepts.
 */
export function acceptFunctions (s: string): string {
  return `
  CREATE FUNCTION ${s}.withdraw_1 (p_ids text[]) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM set_config('lock_timeout', '2000', true);
    PERFORM ${journalLock(s)};
    INSERT INTO ${s}.refused (id, at) SELECT p.id, ${s}.now_ms() FROM unnest(p_ids) p (id) WHERE NOT EXISTS (SELECT 1 FROM ${s}.deliveries d WHERE d.id = p.id) ON CONFLICT DO NOTHING;
  END $$;

  CREATE FUNCTION ${s}.pulse_1 (p_member text, p_name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT set_config('lock_timeout', '4000', true);
    INSERT INTO ${s}.members (id, name, lease_until, seen_at) VALUES (p_member, p_name, 0, ${s}.now_ms()) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at RETURNING seen_at
  $$;`
}

/**
 * `waiting_comes`, `waiting_goes`: keep `waiting.behind` right for every writer. Every transaction that adds or removes marks of a forwarder
 * holds the lock of that forwarder's row.
 * `register_1`: makes a forwarder known. A new forwarder begins after the deliveries received up to `p_since`, the time of the request, however
 * much later this runs. Or it begins at the beginning, and then also gets deliveries that were released before.
 * `renew_1`: renews a member's lease. Takes those of the wanted forwarders that no replica leads, up to the member's share.
 */
export function forwardFunctions (s: string): string {
  return `
  CREATE FUNCTION ${s}.waiting_comes () RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE ${s}.waiting SET behind = true WHERE forwarder = new.forwarder AND replay = new.replay AND sequence = new.sequence
      AND EXISTS (SELECT 1 FROM ${s}.waiting e WHERE e.forwarder = new.forwarder AND e.lane = new.lane
        AND e.replay >= least(new.replay, 1) AND (e.replay, e.sequence) < (new.replay, new.sequence));
    UPDATE ${s}.waiting SET behind = true WHERE NOT behind AND (forwarder, replay, sequence) IN (
      SELECT e.forwarder, e.replay, e.sequence FROM ${s}.waiting e WHERE e.forwarder = new.forwarder AND e.lane = new.lane
        AND e.replay <= CASE new.replay WHEN 0 THEN 0 ELSE 9223372036854775807 END AND (e.replay, e.sequence) > (new.replay, new.sequence)
      ORDER BY e.replay, e.sequence LIMIT 1);
    RETURN NULL;
  END $$;
  CREATE TRIGGER waiting_comes AFTER INSERT ON ${s}.waiting FOR EACH ROW WHEN (new.lane IS NOT NULL) EXECUTE FUNCTION ${s}.waiting_comes ();
  CREATE FUNCTION ${s}.waiting_goes () RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE ${s}.waiting SET behind = false WHERE behind AND (forwarder, replay, sequence) IN (
      SELECT e.forwarder, e.replay, e.sequence FROM ${s}.waiting e WHERE e.forwarder = old.forwarder AND e.lane = old.lane
        AND e.replay <= CASE old.replay WHEN 0 THEN 0 ELSE 9223372036854775807 END AND (e.replay, e.sequence) > (old.replay, old.sequence)
      ORDER BY e.replay, e.sequence LIMIT 1);
    RETURN NULL;
  END $$;
  CREATE TRIGGER waiting_goes AFTER DELETE ON ${s}.waiting FOR EACH ROW WHEN (old.lane IS NOT NULL AND NOT old.behind) EXECUTE FUNCTION ${s}.waiting_goes ();

  CREATE FUNCTION ${s}.register_1 (p_name text, p_since bigint, p_filter text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE v_cursor bigint := 0;
  BEGIN
    IF p_since IS NOT NULL THEN SELECT coalesce(max(sequence), 0) INTO v_cursor FROM (SELECT sequence FROM ${s}.deliveries WHERE received_at <= p_since ORDER BY sequence DESC LIMIT 1) d; END IF;
    INSERT INTO ${s}.forwarders (name, cursor, began, added_at, filter) VALUES (p_name, v_cursor, v_cursor, ${s}.now_ms(), p_filter) ON CONFLICT (name) DO NOTHING;
    IF FOUND AND p_since IS NULL THEN
      INSERT INTO ${s}.waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
      SELECT p_name, 0, sequence, customer_id, 1, 0, 0, 0 FROM ${s}.deliveries WHERE hold = ${STATE.released};
    END IF;
    UPDATE ${s}.forwarders SET filter = p_filter WHERE name = p_name AND filter IS DISTINCT FROM p_filter;
  END $$;

  CREATE FUNCTION ${s}.renew_1 (p_member text, p_name text, p_lease bigint, p_configured text[], p_wanted text[], p_at_home text[])
  RETURNS TABLE (name text, holder text, token bigint, paused boolean, taken boolean, share bigint) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    v_now bigint := ${s}.now_ms();
    v_share bigint;
    v_held bigint;
    v_wanted text;
    v_taken text[] := '{}';
  BEGIN
    PERFORM set_config('lock_timeout', '5000', true);
    INSERT INTO ${s}.members (id, name, lease_until, seen_at) VALUES (p_member, p_name, v_now + p_lease, 0) ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until;
    DELETE FROM ${s}.members WHERE id IN (SELECT id FROM ${s}.members WHERE greatest(lease_until, seen_at) < v_now - 60000 FOR UPDATE SKIP LOCKED);
    SELECT ceil(cardinality(p_configured)::numeric / greatest(1, count(*))) INTO v_share FROM ${s}.members WHERE lease_until > v_now;
    SELECT count(*) INTO v_held FROM ${s}.forwarders f WHERE f.holder = p_member AND NOT f.name = ANY (p_wanted) AND NOT f.name = ANY (p_at_home);
    FOREACH v_wanted IN ARRAY p_wanted LOOP
      CONTINUE WHEN v_held >= v_share AND NOT v_wanted = ANY (p_at_home);
      UPDATE ${s}.forwarders f SET holder = p_member, token = f.token + 1, timeline = ${s}.timeline(), home = CASE WHEN v_wanted = ANY (p_at_home) THEN coalesce(f.home, p_name) END
      WHERE f.name = (SELECT g.name FROM ${s}.forwarders g WHERE g.name = v_wanted AND (g.home IS NULL OR g.home = p_name OR NOT v_wanted = ANY (p_at_home))
        AND (g.holder IS NULL OR g.holder = p_member OR NOT EXISTS (SELECT 1 FROM ${s}.members m WHERE m.id = g.holder AND m.lease_until > v_now)) FOR UPDATE SKIP LOCKED);
      IF FOUND THEN
        v_taken := v_taken || v_wanted;
        IF NOT v_wanted = ANY (p_at_home) THEN v_held := v_held + 1; END IF;
      END IF;
    END LOOP;
    RETURN QUERY SELECT f.name::text, f.holder, f.token, f.paused, f.name = ANY (v_taken), v_share FROM ${s}.forwarders f WHERE f.name = ANY (p_configured);
  END $$;

  ${saveFunction(s)}`
}

/** `save_2`: stores progress, and returns the result for each forwarder. The progress carries the term in which it was made. Nothing of an erased delivery is stored again. */
export function saveFunction (s: string): string {
  const isErased = (sequence: string): string => `EXISTS (SELECT 1 FROM ${s}.deliveries d WHERE d.hold = ${STATE.erased} AND d.sequence = ${sequence})`
  return `
  CREATE OR REPLACE FUNCTION ${s}.save_2 (p_member text, p_commits json) RETURNS text[] LANGUAGE plpgsql AS $$
  DECLARE
    v_now bigint := ${s}.now_ms();
    v_each json;
    v_name text;
    v_results text[] := '{}';
  BEGIN
    PERFORM 1 FROM ${s}.forwarders WHERE name IN (SELECT value ->> 'forwarder' FROM json_array_elements(p_commits)) ORDER BY name FOR UPDATE;
    FOR v_each IN SELECT value FROM json_array_elements(p_commits) LOOP
      v_name := v_each ->> 'forwarder';
      UPDATE ${s}.forwarders SET cursor = (v_each ->> 'cursor')::bigint, position = coalesce(v_each ->> 'position', position), breaker = coalesce(v_each ->> 'breaker', breaker)
      WHERE name = v_name AND holder = p_member AND token = (v_each ->> 'term')::bigint AND timeline = ${s}.timeline();
      IF NOT FOUND THEN
        v_results := v_results || 'lost'::text;
        CONTINUE;
      END IF;
      v_results := v_results || 'saved'::text;
      INSERT INTO ${s}.waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at, reason)
      SELECT v_name, replay, sequence, lane, attempt, waited, delay, v_now + delay, reason
      FROM json_to_recordset(v_each -> 'waits') AS w (replay bigint, sequence bigint, lane text, attempt integer, waited bigint, delay bigint, reason text)
      WHERE NOT ${isErased('w.sequence')}
      ON CONFLICT (forwarder, replay, sequence) DO UPDATE SET attempt = excluded.attempt, waited_ms = excluded.waited_ms, delay_ms = excluded.delay_ms, due_at = excluded.due_at, reason = excluded.reason;
      DELETE FROM ${s}.waiting w USING json_to_recordset(v_each -> 'ends') AS e (replay bigint, sequence bigint) WHERE w.forwarder = v_name AND w.replay = e.replay AND w.sequence = e.sequence;
      INSERT INTO ${s}.dead_letters (forwarder, sequence, died_at, attempts, reason)
      SELECT v_name, sequence, v_now, attempts, reason FROM json_to_recordset(v_each -> 'dead') AS l (sequence bigint, attempts integer, reason text)
      WHERE NOT ${isErased('l.sequence')}
      ON CONFLICT (forwarder, sequence) DO UPDATE SET died_at = excluded.died_at, attempts = excluded.attempts, reason = excluded.reason;
      DELETE FROM ${s}.dead_letters WHERE forwarder = v_name AND sequence IN (SELECT value::bigint FROM json_array_elements_text(v_each -> 'revived'));
      INSERT INTO ${s}.attempts (forwarder, sequence, replay, attempt, started_at, duration_ms, outcome, detail)
      SELECT v_name, sequence, replay, attempt, "startedAt", "durationMs", outcome, CASE WHEN NOT ${isErased('r.sequence')} THEN detail END
      FROM json_to_recordset(v_each -> 'records') AS r (sequence bigint, replay bigint, attempt integer, "startedAt" bigint, "durationMs" double precision, outcome text, detail text);
    END LOOP;
    RETURN v_results;
  END $$;`
}

/**
 * `pulse_2`: records that a replica accepts. Takes `:upkeep` if the replica that leads it has not pulsed within the lease. `upkeep` is the term
 * of the replica that leads it, and null for all others.
 */
export function upkeepFunction (s: string): string {
  const isFree = `(holder IS NULL OR NOT EXISTS (SELECT 1 FROM ${s}.members m WHERE m.id = holder AND m.seen_at > v_now - p_lease))`
  return `
  CREATE FUNCTION ${s}.pulse_2 (p_member text, p_name text, p_lease bigint) RETURNS TABLE (at bigint, upkeep bigint) LANGUAGE plpgsql AS $$
  DECLARE v_now bigint := ${s}.pulse_1(p_member, p_name);
  BEGIN
    IF EXISTS (SELECT 1 FROM ${s}.leases WHERE name = ':upkeep' AND ${isFree}) THEN
      PERFORM 1 FROM ${s}.leases WHERE name = ':upkeep' FOR UPDATE;
      UPDATE ${s}.leases SET holder = p_member, token = token + 1 WHERE name = ':upkeep' AND ${isFree};
    END IF;
    RETURN QUERY SELECT v_now, (SELECT token FROM ${s}.leases WHERE name = ':upkeep' AND holder = p_member);
  END $$;`
}
