# An nginx with two workers: requests, a load, a reload under load, a reopened log, a graceful end.
#
# torture: needs nginx ab curl
# torture: version nginx -v
port=$((20000 + $$ % 20000))
mkdir site logs
seq 1 5000 >site/numbers
echo 'hello' >site/index.html
cat >nginx.conf <<CONF
$([ "$(id -u)" != 0 ] || echo 'user root;')
daemon on; master_process on; worker_processes 2; pid $PWD/pid; error_log $PWD/logs/error notice;
events { worker_connections 256; }
http {
    access_log $PWD/logs/access; default_type text/plain; gzip on; gzip_min_length 1;
    client_body_temp_path $PWD/t1; proxy_temp_path $PWD/t2; fastcgi_temp_path $PWD/t3; uwsgi_temp_path $PWD/t4; scgi_temp_path $PWD/t5;
    server { listen 127.0.0.1:$port; listen unix:$PWD/socket; root $PWD/site; location /behind/ { proxy_pass http://unix:$PWD/socket:/; } }
}
CONF
nginx -e "$PWD/logs/error" -c "$PWD/nginx.conf"
echo "started $?"
ask() { curl -s --noproxy '*' --unix-socket socket "http://localhost/$1" "${@:2}"; }
ask index.html
ask numbers | sha256sum
ask numbers --compressed | sha256sum
ask behind/numbers | sha256sum
ask numbers -r 10-19 | sha256sum
ask nowhere -o /dev/null -w '%{http_code}\n'
ab -q -n 1000 -c 20 -k "http://127.0.0.1:$port/index.html" 2>&1 | grep -E 'Complete requests|Failed requests'
ab -q -n 1000 -c 10 "http://127.0.0.1:$port/numbers" >under-reload 2>&1 &
load=$!
nginx -e "$PWD/logs/error" -c "$PWD/nginx.conf" -s reload
echo "reload $?"
wait "$load"
grep -E 'Complete requests|Failed requests' under-reload
nginx -e "$PWD/logs/error" -c "$PWD/nginx.conf" -s reopen
ask index.html
nginx -e "$PWD/logs/error" -c "$PWD/nginx.conf" -s quit
while [ -e pid ]; do sleep 0.05; done
wc -l <logs/access
grep -E '\[(alert|crit|emerg)\]|exited on signal' logs/error | sed 's/^[^[]*//'
grep -c 'exited with code 0' logs/error | sed 's/^[1-9][0-9]*$/workers ended with 0/'
