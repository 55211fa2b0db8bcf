# Node: promises, workers, compression, hashes, children, a server and its client, files, garbage collection.
#
# torture: needs node
# torture: version node --version
cat >job.js <<'PROGRAM'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto'), fs = require('fs'), http = require('http'), zlib = require('zlib');
const { execFileSync, spawn } = require('child_process');
if (!isMainThread) {
  let sum = 0;
  const kept = [];
  for (let i = 0; i < 200000; i++) {
    kept[i % 1000] = { i, text: 'x'.repeat(i % 50) };
    sum = (sum + kept[i % 1000].text.length * workerData) % 1000007;
  }
  parentPort.postMessage(sum);
} else {
  (async () => {
    const work = n => new Promise((done, fail) => new Worker(__filename, { workerData: n }).on('message', done).on('error', fail));
    console.log('workers', (await Promise.all([1, 2, 3, 4].map(work))).join(' '));
    const data = Buffer.alloc(1 << 20, 'compress me ');
    const packed = zlib.gzipSync(data);
    console.log('zip', zlib.gunzipSync(packed).equals(data), crypto.createHash('sha256').update(data).digest('hex'));
    console.log('key', crypto.pbkdf2Sync('word', 'salt', 2000, 32, 'sha512').toString('hex'));
    fs.writeFileSync('file', data);
    const copies = await Promise.all([...Array(20).keys()].map(() => fs.promises.readFile('file')));
    console.log('read', copies.every(copy => copy.equals(data)));
    console.log('child', execFileSync('sh', ['-c', 'echo from a child; exit 0']).toString().trim());
    const status = await new Promise(done => spawn('sh', ['-c', 'kill -9 $$']).on('exit', (code, signal) => done(`${code} ${signal}`)));
    console.log('killed', status);
    const server = http.createServer((request, answer) => request.pipe(answer));
    await new Promise(done => server.listen('socket', done));
    const ask = n => new Promise((done, fail) => {
      const request = http.request({ socketPath: 'socket', path: '/', method: 'POST' }, answer => {
        let length = 0;
        answer.on('data', part => length += part.length).on('end', () => done(length));
      }).on('error', fail);
      request.end('y'.repeat(n * 1000));
    });
    console.log('echo', (await Promise.all([...Array(50).keys()].map(ask))).reduce((a, b) => a + b));
    server.close();
    process.on('SIGUSR2', () => { console.log('signal'); process.exit(7); });
    process.kill(process.pid, 'SIGUSR2');
    setTimeout(() => {}, 10000);
  })();
}
PROGRAM
node job.js
echo "status $?"
node -e 'null.nothing' 2>&1 | grep -c TypeError
