# SQLite's shell: tables, indices, joins, transactions, a rollback, recursion, full text, a dump and its restoration.
#
# torture: needs sqlite3
# torture: version sqlite3 --version
sqlite3 base.db <<'SQL'
PRAGMA journal_mode=WAL;
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
CREATE TABLE visit(person INTEGER REFERENCES person, place TEXT, days REAL);
CREATE INDEX by_place ON visit(place);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO person SELECT i, 'person ' || (i * 7919 % 20011), 1900 + i % 100 FROM n;
INSERT INTO visit SELECT id, 'place ' || (id * 31 % 500), id % 37 / 3.0 FROM person;
COMMIT;
BEGIN; DELETE FROM person WHERE id % 2; ROLLBACK;
SELECT count(*), sum(born) FROM person;
SELECT place, count(*), round(sum(days), 3) FROM visit JOIN person ON person = id WHERE born > 1950
 GROUP BY place ORDER BY 3 DESC, 1 LIMIT 10;
UPDATE visit SET days = days * 2 WHERE person IN (SELECT id FROM person WHERE name LIKE '%99%');
SELECT round(sum(days), 3) FROM visit;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text);
INSERT INTO words SELECT name || ' born in ' || born FROM person WHERE id < 2000;
SELECT count(*) FROM words WHERE words MATCH 'born AND 1950';
PRAGMA integrity_check;
VACUUM;
SQL
echo "status $?"
sqlite3 base.db '.dump person visit' | tee dump | sha256sum
sqlite3 copy.db <dump && sqlite3 copy.db '.dump person visit' | cmp - dump && echo 'the same'
sqlite3 base.db 'SELECT * FROM nowhere' 2>&1
echo "status $?"
