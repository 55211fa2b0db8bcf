# A Redis server: a script's answers, its benchmark, a snapshot by a forked child, a restart with the same data.
#
# torture: needs redis-server redis-cli redis-benchmark
# torture: version redis-server --version
serve() {
    redis-server --port 0 --unixsocket "$PWD/socket" --dir "$PWD" --save '' --appendonly yes --daemonize no --loglevel warning \
        --enable-debug-command yes >>log 2>&1 &
    server=$!
    for _ in $(seq 600); do
        [ "$(redis-cli -s socket ping 2>&1)" = PONG ] && return
        sleep 0.05
    done
    echo 'the server does not answer'
}
serve
seq 1 2000 | sed 's/.*/SET key:& value&\nRPUSH list &\nZADD sorted & member&\nHSET hash f& &/' | redis-cli -s socket | sort | uniq -c | sort -rn | head -3
redis-cli -s socket <<'COMMANDS'
LRANGE list 0 4
ZRANGE sorted 10 12 WITHSCORES
EVAL "local s = 0 for i, v in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do s = s + v end return s" 1 list
MULTI
INCR counter
INCRBY counter 41
EXEC
INCR list
PFADD log a b c d
PFCOUNT log
COMMANDS
redis-benchmark -s socket -n 2000 -c 20 -q -t set,get,lpush,lrange_100 >/dev/null 2>&1
echo "benchmark $?"
redis-cli -s socket DEL mylist key:__rand_int__ | tail -1
digest=$(redis-cli -s socket DEBUG DIGEST)
redis-cli -s socket BGSAVE
while [ "$(redis-cli -s socket INFO persistence | grep -c 'rdb_bgsave_in_progress:0')" = 0 ]; do sleep 0.05; done
redis-cli -s socket INFO persistence | grep -E 'last_bgsave_status|aof_last_write_status' | tr -d '\r'
redis-cli -s socket SHUTDOWN
wait "$server"
echo "server $?"
serve
[ "$(redis-cli -s socket DEBUG DIGEST)" = "$digest" ] && echo 'the same data' || echo 'other data'
redis-cli -s socket DBSIZE
kill -TERM "$server"
wait "$server"
echo "server $?"
grep -v -E 'WARNING|oO0OoO0OoO0Oo' log | grep -i -E 'error|fail|crash|assert' | sed 's/^[^#*]*//'
