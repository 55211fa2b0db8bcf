# A PostgreSQL cluster: made, filled, queried by several clients, dumped, restored, recovered after a crash, ended.
#
# torture: needs initdb pg_ctl psql pgbench pg_dump
# torture: version postgres --version
# torture: user nobody
export PGDATA=$PWD/data PGHOST=$PWD PGUSER=owner PGDATABASE=postgres
initdb -U owner -A trust -N --locale=C -E UTF8 >initdb.log 2>&1
echo "initdb $?"
cat >>data/postgresql.conf <<CONF
listen_addresses = ''
unix_socket_directories = '$PWD'
fsync = off
shared_buffers = 16MB
max_parallel_workers_per_gather = 2
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
jit = off
CONF
start() { pg_ctl -w -t 60 -l server.log start >/dev/null; echo "start $?"; }
start
psql -q -A -t -v ON_ERROR_STOP=1 <<'SQL'
CREATE TABLE person(id int PRIMARY KEY, name text, born int);
INSERT INTO person SELECT i, 'person ' || (i * 7919 % 20011), 1900 + i % 100 FROM generate_series(1, 20000) i;
ANALYZE person;
SELECT count(*), sum(born) FROM person;
SELECT born, count(*), max(name) FROM person GROUP BY born ORDER BY born LIMIT 3;
BEGIN; DELETE FROM person; ROLLBACK;
SELECT count(*) FROM person a JOIN person b ON a.id = b.born;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $1 * 2; END';
SELECT sum(twice(id)) FROM person;
SQL
echo "psql $?"
psql -c 'SELECT * FROM nowhere' 2>&1
pgbench -q -i -s 1 >/dev/null 2>&1
echo "pgbench -i $?"
pgbench -n -c 4 -j 2 -t 50 2>&1 | grep -E 'transactions actually|failed transactions'
psql -A -t -c 'SELECT count(*) FROM pgbench_history'
pg_dump -t person | sed '/^--/d; /restrict /d' | sha256sum
pg_dump -t person -Fc -f dump && psql -q -c 'DROP TABLE person' && pg_restore -d postgres dump && psql -A -t -c 'SELECT sum(born) FROM person'
# A backend is killed: all others end, and the server recovers.
psql -A -t -c "COPY (SELECT pg_backend_pid()) TO PROGRAM 'read pid; kill -9 \$pid'" >/dev/null 2>&1
for _ in $(seq 600); do psql -A -t -c 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.05; done
psql -A -t -c 'SELECT count(*) FROM person'
pg_ctl -w -m immediate stop >/dev/null; echo "stop $?"
start
psql -A -t -c 'SELECT count(*) FROM person'
pg_ctl -w -m fast stop >/dev/null; echo "stop $?"
grep -E 'PANIC|FATAL' server.log | grep -v -E 'starting up|recovery mode|terminating connection|not yet accepting' | sed 's/^.*\(PANIC\|FATAL\)/\1/' | sort -u
