"""PostgreSQL: words stand many to a row, and what is asked of the index is asked of functions.

A row for each word had a head of its own and stood in the table and in its key: 109 bytes for a word
of ten. Now 128 to 256 that follow each other are one row, which PostgreSQL compresses; what belongs
where is said by its key, the first of them as it was when the row was made. A function's plan is kept
as long as the connection, where planning a statement takes as long as carrying it out.
"""

from django.db import migrations

TABLE = """
CREATE TABLE contacts_block (
    scope bigint NOT NULL, first text COLLATE "C" NOT NULL, lowest bigint NOT NULL,
    words text[] COLLATE "C" NOT NULL, contacts bigint[] NOT NULL,
    PRIMARY KEY (scope, first, lowest)
) WITH (fillfactor = 90, toast_tuple_target = 128)
"""
# Compressed, and in the row nevertheless.
STORAGE = """
ALTER TABLE contacts_block ALTER words SET STORAGE MAIN, ALTER contacts SET STORAGE MAIN
"""
VIEW = """
CREATE VIEW contacts_word AS SELECT block.scope, entry.words, entry.contact_id
FROM contacts_block AS block, unnest(block.words, block.contacts) AS entry (words, contact_id)
"""
WORDS = """
CREATE TABLE contacts_word (
    scope bigint NOT NULL, words varchar(40) COLLATE "C" NOT NULL,
    contact_id bigint NOT NULL, PRIMARY KEY (scope, words, contact_id)
)
"""
PACK = """
CREATE FUNCTION contacts_pack(entries regclass) RETURNS void
LANGUAGE plpgsql AS $$
-- Fill the table, which must be empty, from one that has a row for each entry. The first row of
-- each scope begins before all words, so that there is a place for any.
BEGIN
    EXECUTE format('
        INSERT INTO contacts_block (scope, first, lowest, words, contacts)
        SELECT scope, CASE WHEN piece = 0 THEN '''' ELSE words[1] END,
            CASE WHEN piece = 0 THEN 0 ELSE contacts[1] END, words, contacts
        FROM (
            SELECT scope, piece, array_agg(words::text ORDER BY place) AS words,
                array_agg(contact_id ORDER BY place) AS contacts
            FROM (
                SELECT scope, words, contact_id, place, (place - 1) / 128 AS piece
                FROM (
                    SELECT scope, words, contact_id, row_number() OVER (
                        PARTITION BY scope ORDER BY words COLLATE "C", contact_id
                    ) AS place
                    FROM %s
                ) AS placed
            ) AS pieces
            GROUP BY scope, piece ORDER BY scope, piece
        ) AS packed', entries);
END $$
"""
CHANGE = """
CREATE FUNCTION contacts_change(
    book bigint, scopes bigint[], entries text[], ids bigint[], stay boolean[]
) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
-- Put entries of a book in or, where they don't stay, take them out. One at a time does it with a
-- book, for two may mean the same row and each would go by what the row was.
DECLARE
    touched record;
    now_words text[];
    now_contacts bigint[];
    word text;
    contact bigint;
    begins integer;
    place integer;
    is_there boolean;
    size integer;
    piece integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('contacts_block'), hashint8(book));
    INSERT INTO contacts_block (scope, first, lowest, words, contacts)
    SELECT DISTINCT added.scope, '', 0, '{}'::text[], '{}'::bigint[]
    FROM unnest(scopes, stay) AS added (scope, stays) WHERE added.stays
    ON CONFLICT DO NOTHING;
    FOR touched IN
        SELECT block.scope, block.first, block.lowest, array_agg(entry.words) AS words,
            array_agg(entry.contact) AS contacts, array_agg(entry.stays) AS stay
        FROM unnest(scopes, entries, ids, stay) AS entry (scope, words, contact, stays),
        LATERAL (
            SELECT one.scope, one.first, one.lowest FROM contacts_block AS one
            WHERE one.scope = entry.scope
                AND (one.first, one.lowest) <= (entry.words COLLATE "C", entry.contact)
            ORDER BY one.first DESC, one.lowest DESC LIMIT 1
        ) AS block
        GROUP BY block.scope, block.first, block.lowest
    LOOP
        SELECT block.words, block.contacts INTO now_words, now_contacts
        FROM contacts_block AS block
        WHERE (block.scope, block.first, block.lowest)
            = (touched.scope, touched.first, touched.lowest);
        FOR number IN 1 .. cardinality(touched.words) LOOP
            word := touched.words[number];
            contact := touched.contacts[number];
            -- Its place: how many are before it, and it itself if it is there.
            size := width_bucket(word COLLATE "C", now_words);
            begins := coalesce(array_position(now_words, word COLLATE "C"), size + 1);
            place := begins - 1 + width_bucket(contact, now_contacts[begins:size]);
            is_there := place >= begins AND now_contacts[place] = contact;
            IF touched.stay[number] AND NOT is_there THEN
                now_words := now_words[:place] || word || now_words[place + 1:];
                now_contacts := now_contacts[:place] || contact || now_contacts[place + 1:];
            ELSIF is_there AND NOT touched.stay[number] THEN
                now_words := now_words[:place - 1] || now_words[place + 1:];
                now_contacts := now_contacts[:place - 1] || now_contacts[place + 1:];
            END IF;
        END LOOP;
        size := cardinality(now_words);
        IF size = 0 THEN
            DELETE FROM contacts_block AS block
            WHERE (block.scope, block.first, block.lowest)
                = (touched.scope, touched.first, touched.lowest);
            CONTINUE;
        END IF;
        -- Too many for one row become several of about 128, all as long as each other.
        piece := CASE WHEN size > 256 THEN ceil(size / floor(size / 128.0)) ELSE size END;
        UPDATE contacts_block AS block
        SET words = now_words[:piece], contacts = now_contacts[:piece]
        WHERE (block.scope, block.first, block.lowest)
            = (touched.scope, touched.first, touched.lowest);
        IF piece < size THEN
            INSERT INTO contacts_block (scope, first, lowest, words, contacts)
            SELECT touched.scope, now_words[begin], now_contacts[begin],
                now_words[begin : begin + piece - 1], now_contacts[begin : begin + piece - 1]
            FROM generate_series(piece + 1, size, piece) AS begin;
        END IF;
    END LOOP;
END $$
"""
# A plan that fits whatever is asked is kept: all read ranges or parts that an index has.
PLANNED = """LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan"""
ENTRIES = f"""
CREATE FUNCTION contacts_entries(
    withins bigint[], firsts text[], pasts text[], blocks bigint, wanted text[], most bigint
) RETURNS TABLE (place bigint, contact_id bigint)
{PLANNED} AS $$
-- Of each range, by its place from 1 on, the first contacts of which an entry is like all that are
-- wanted, in so many rows. Entries come in the order of the rows, which is that of the subquery: the
-- last row before the range, then those that begin in it.
DECLARE
    most_wanted text := coalesce(wanted[1], '%');
    also_wanted text[] := wanted[2:];
BEGIN
    RETURN QUERY
    SELECT range.place, found.contact
    FROM unnest(withins, firsts, pasts) WITH ORDINALITY AS range (within, first, past, place),
    LATERAL (
        SELECT entry.contact
        FROM (
            SELECT unnest(block.words) AS words, unnest(block.contacts) AS contact
            FROM (
                (
                    SELECT one.words, one.contacts FROM contacts_block AS one
                    WHERE one.scope = range.within AND one.first < range.first COLLATE "C"
                    ORDER BY one.first DESC, one.lowest DESC LIMIT 1
                )
                UNION ALL
                (
                    SELECT one.words, one.contacts FROM contacts_block AS one
                    WHERE one.scope = range.within AND one.first >= range.first COLLATE "C"
                        AND one.first < range.past COLLATE "C"
                    ORDER BY one.first, one.lowest LIMIT blocks
                )
            ) AS block
        ) AS entry
        WHERE entry.words >= range.first COLLATE "C" AND entry.words < range.past COLLATE "C"
            AND entry.words LIKE most_wanted AND entry.words LIKE ALL (also_wanted)
        LIMIT most
    ) AS found;
END $$
"""
WITH_DIGITS = f"""
CREATE FUNCTION contacts_with_digits(
    books bigint[], parts tsquery, wanted text, sampled bigint, common bigint, most bigint
) RETURNS TABLE (contact_id bigint)
{PLANNED} AS $$
-- Contacts with a number that is like the wanted: of a sample, if that has as many as is common,
-- else by the index of parts.
DECLARE
    share double precision;
    seen bigint[];
BEGIN
    SELECT least(100, 100.0 * sampled / greatest(1, reltuples)) INTO share
    FROM pg_class WHERE oid = 'contacts_line'::regclass;
    seen := ARRAY(
        SELECT line.contact_id
        FROM contacts_line AS line TABLESAMPLE SYSTEM (share) REPEATABLE (1)
        WHERE line.keypad LIKE wanted AND line.is_callable AND line.book_id = ANY (books)
        LIMIT most
    );
    IF cardinality(seen) >= common THEN
        RETURN QUERY SELECT unnest(seen);
        RETURN;
    END IF;
    RETURN QUERY
    -- Without a limit, which would tempt the planner to read the table until it has enough.
    WITH told AS MATERIALIZED (
        SELECT line.contact_id AS contact FROM contacts_line AS line
        WHERE contacts_parts(line.keypad) @@ parts AND line.keypad LIKE wanted
            AND line.is_callable AND line.book_id = ANY (books)
    )
    SELECT told.contact FROM told LIMIT most;
END $$
"""
BY_NUMBER = f"""
CREATE FUNCTION contacts_by_number(
    withins bigint[], firsts text[], pasts text[], parts tsquery, wanted text, sampled bigint,
    common bigint, most bigint, enough bigint
) RETURNS TABLE (step integer, contact_id bigint)
{PLANNED} AS $$
-- The first contacts of each range by the digits of a number and by those of its national writing;
-- if they are not enough and parts are asked for, then those with a number that is like the wanted.
DECLARE
    seen bigint[];
BEGIN
    seen := ARRAY(
        SELECT found.contact FROM unnest(withins, firsts, pasts) AS range (within, first, past),
        LATERAL (
            SELECT line.contact_id AS contact FROM contacts_line AS line
            WHERE line.book_id = range.within AND line.is_callable
                AND line.digits >= range.first COLLATE "C" AND line.digits < range.past COLLATE "C"
            ORDER BY line.digits, line.id LIMIT most
        ) AS found
    ) || ARRAY(
        SELECT found.contact FROM unnest(withins, firsts, pasts) AS range (within, first, past),
        LATERAL (
            SELECT line.contact_id AS contact FROM contacts_line AS line
            WHERE line.book_id = range.within AND line.is_callable AND NOT line.national = ''
                AND line.national >= range.first COLLATE "C"
                AND line.national < range.past COLLATE "C"
            ORDER BY line.national, line.id LIMIT most
        ) AS found
    );
    RETURN QUERY SELECT 0, unnest(seen);
    IF parts IS NOT NULL AND (SELECT count(DISTINCT one) FROM unnest(seen) AS one) < enough THEN
        RETURN QUERY SELECT 1, found.contact_id
        FROM contacts_with_digits(withins, parts, wanted, sampled, common, most) AS found;
    END IF;
END $$
"""
WITH_WORDS = f"""
CREATE FUNCTION contacts_with_words(
    mark text, cuts text[], whole text[], terms text[], sampled bigint, common bigint,
    ordered bigint, most bigint
) RETURNS TABLE (contact_id bigint)
{PLANNED} AS $$
-- Contacts that have a word of the mark's book for each term: if any are to be sampled, those of a
-- sample that has as many as is common; else by the index of cuts, of so many as are to be ordered
-- the first by id. Whole are the terms that are longer than their cut.
DECLARE
    share double precision;
    seen bigint[];
    marked tsquery := mark || array_to_string(cuts, ' & ' || mark);
    likes text[] := '{{}}';
BEGIN
    IF sampled > 0 THEN
        likes := ARRAY(SELECT '% ' || mark || term || '%' FROM unnest(terms) AS term);
        SELECT least(100, 100.0 * sampled / greatest(1, reltuples)) INTO share
        FROM pg_class WHERE oid = 'contacts_contact'::regclass;
        seen := ARRAY(
            SELECT contact.id
            FROM contacts_contact AS contact TABLESAMPLE SYSTEM (share) REPEATABLE (1)
            WHERE contact.found_by LIKE ALL (likes)
            LIMIT most
        );
        IF cardinality(seen) >= common THEN
            RETURN QUERY SELECT unnest(seen);
            RETURN;
        END IF;
    END IF;
    IF sampled > 0 OR cardinality(whole) > 0 THEN
        likes := ARRAY(SELECT '% ' || mark || term || '%' FROM unnest(whole) AS term);
    END IF;
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT contact.id FROM contacts_contact AS contact
        WHERE contacts_cuts(contact.found_by) @@ marked AND contact.found_by LIKE ALL (likes)
    )
    SELECT first.id FROM (SELECT told.id FROM told LIMIT ordered) AS first
    ORDER BY first.id LIMIT most;
END $$
"""
BY_WORDS = f"""
CREATE FUNCTION contacts_by_words(
    withins bigint[], firsts text[], pasts text[], few bigint, many bigint, wanted text[],
    marks text[], cuts text[], whole text[], terms text[], sampled bigint, common bigint,
    ordered bigint, most bigint, enough bigint
) RETURNS TABLE (step integer, contact_id bigint)
{PLANNED} AS $$
-- The first contacts of each range of which an entry is like all that are wanted, in a few rows or,
-- where the first range has many, in those; if they are not enough, then those that have a word for each
-- term, of each mark.
DECLARE
    seen bigint[];
    mark text;
BEGIN
    seen := ARRAY(
        SELECT entry.contact_id FROM contacts_entries(
            withins, firsts, pasts,
            CASE WHEN (
                SELECT count(*) FROM (
                    SELECT FROM contacts_block AS one
                    WHERE one.scope = withins[1] AND one.first >= firsts[1] COLLATE "C"
                        AND one.first < pasts[1] COLLATE "C"
                    LIMIT many
                ) AS begun
            ) < many THEN few ELSE many END,
            wanted, most
        ) AS entry
    );
    RETURN QUERY SELECT 0, unnest(seen);
    IF (SELECT count(DISTINCT one) FROM unnest(seen) AS one) < enough THEN
        FOREACH mark IN ARRAY marks LOOP
            RETURN QUERY SELECT 1, found.contact_id
            FROM contacts_with_words(
                mark, cuts, whole, terms, sampled, common, ordered, most
            ) AS found;
        END LOOP;
    END IF;
END $$
"""
CREATE = [
    TABLE,
    STORAGE,
    PACK,
    "SELECT contacts_pack('contacts_word')",
    "DROP TABLE contacts_word",
    VIEW,
    CHANGE,
    ENTRIES,
    WITH_DIGITS,
    BY_NUMBER,
    WITH_WORDS,
    BY_WORDS,
]
DROP = [
    "DROP FUNCTION contacts_by_words",
    "DROP FUNCTION contacts_with_words",
    "DROP FUNCTION contacts_by_number",
    "DROP FUNCTION contacts_with_digits",
    "DROP FUNCTION contacts_entries",
    "DROP FUNCTION contacts_change",
    "ALTER VIEW contacts_word RENAME TO packed_word",
    WORDS,
    "INSERT INTO contacts_word SELECT * FROM packed_word ORDER BY scope, words, contact_id",
    "DROP VIEW packed_word",
    "DROP FUNCTION contacts_pack",
    "DROP TABLE contacts_block",
]


def create(apps, schema_editor):
    _carry_out(CREATE, schema_editor)


def drop(apps, schema_editor):
    _carry_out(DROP, schema_editor)


def _carry_out(statements, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in statements:
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0013_colleagues_of_all_pbxs"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
