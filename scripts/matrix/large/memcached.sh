# A memcached with four threads, filled and read by several clients at a time, and ended by a signal.
#
# torture: needs memcached python3
# torture: version memcached --version
memcached -s "$PWD/socket" -u "$(id -un)" -t 4 -m 64 >log 2>&1 &
server=$!
python3 - <<'PROGRAM'
import socket, threading, time
def connected():
    for _ in range(600):
        try:
            client = socket.socket(socket.AF_UNIX)
            client.connect("socket")
            return client.makefile("rwb")
        except OSError:
            time.sleep(0.05)
wrong = []
def work(number):
    stream = connected()
    for i in range(400):
        value = (f"value {number} {i} " * (i % 50 + 1)).encode()
        stream.write(b"set key%d-%d 0 0 %d\r\n%s\r\n" % (number, i, len(value), value))
        stream.flush()
        if stream.readline() != b"STORED\r\n":
            wrong.append((number, i, "set"))
        stream.write(b"get key%d-%d\r\n" % (number, i))
        stream.flush()
        stream.readline()
        if stream.readline() != value + b"\r\n" or stream.readline() != b"END\r\n":
            wrong.append((number, i, "get"))
threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("wrong", wrong)
stream = connected()
stream.write(b"stats\r\n")
stream.flush()
for line in iter(stream.readline, b"END\r\n"):
    name, value = line.decode().split()[1:3]
    if name in ("curr_items", "total_items", "cmd_get", "cmd_set", "get_hits", "get_misses", "threads", "evictions"):
        print(name, value)
PROGRAM
kill -TERM "$server"
wait "$server"
echo "server $?"
cat log
