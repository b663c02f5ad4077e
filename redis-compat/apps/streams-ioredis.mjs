// A job queue on a stream with a consumer group, as it is written with ioredis: a producer with explicit ids, workers
// that wait in XREADGROUP, record each job and acknowledge it in one transaction, and take over what others left.
import Redis from 'ioredis';
import { alreadyThere, clusterOptions, insist, jobId, jobs, judge, nodes, tellHalf, until } from './common.mjs';

const connect = () => new Redis.Cluster(nodes, clusterOptions);
const client = connect();
let runs = 0;
let ended = false;

const acknowledged = [];
async function produce() {
  for (let i = 0; i < jobs; i++) {
    await insist(() => client.xadd('jobs', 'MAXLEN', '~', 100000, jobId(i), 'n', i).catch((error) => {
      if (!alreadyThere(error)) throw error;
    }), 'XADD');
    acknowledged.push(jobId(i));
  }
}

const entries = (reply) => (reply ? reply[0][1] : []);
async function work(name) {
  const connection = connect();
  let rounds = 0;
  while (!ended) {
    try {
      const taken = rounds++ % 5 === 4
        ? (await connection.xautoclaim('jobs', 'workers', name, 500, '0', 'COUNT', 10))[1]
        : entries(await connection.xreadgroup('GROUP', 'workers', name, 'COUNT', 5, 'BLOCK', 300, 'STREAMS', 'jobs', '>'));
      for (const [id, fields] of taken) {
        runs++;
        const replies = await connection.multi().hsetnx('done', id, fields[1]).xack('jobs', 'workers', id).exec();
        const failed = replies.find(([error]) => error);
        if (failed) throw failed[0];
      }
    } catch { /* a leader went: what was taken stays pending, and is claimed later */ }
  }
  connection.disconnect();
}

await insist(() => client.xgroup('CREATE', 'jobs', 'workers', '0', 'MKSTREAM').catch((error) => {
  if (!/BUSYGROUP/.test(error.message)) throw error;
}), 'XGROUP CREATE');
const workers = ['a', 'b', 'c', 'd'].map(work);
const producing = produce();
await until(async () => {
  const done = await client.hlen('done');
  tellHalf(done);
  return done === jobs;
}, 'all jobs done');
await producing;
await until(async () => (await client.xpending('jobs', 'workers'))[0] === 0, 'empty list of pending jobs');
ended = true;
await Promise.all(workers);
const pending = (await client.xpending('jobs', 'workers'))[0];
judge({ acknowledged, completed: new Set(Object.keys(await client.hgetall('done'))), runs, pending });
client.disconnect();
