// The queue of streams-ioredis.mjs with node-redis, and readers that follow the stream with XREAD and see every entry
// once, in order.
import { createCluster } from 'redis';
import { alreadyThere, insist, jobId, jobs, judge, nodes, pause, tellHalf, until } from './common.mjs';

const rootNodes = nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` }));
async function connect() {
  return insist(async () => {
    const cluster = createCluster({ rootNodes, defaults: { socket: { reconnectStrategy: 50 } } });
    cluster.on('error', () => {});
    await cluster.connect();
    return cluster;
  }, 'connection');
}
const client = await connect();
let runs = 0;
let ended = false;

const acknowledged = [];
async function produce() {
  for (let i = 0; i < jobs; i++) {
    await insist(() => client.xAdd('jobs', jobId(i), { n: String(i) }).catch((error) => {
      if (!alreadyThere(error)) throw error;
    }), 'XADD');
    acknowledged.push(jobId(i));
  }
}

async function work(name) {
  let connection = await connect();
  let rounds = 0;
  while (!ended) {
    try {
      const reply = rounds++ % 5 === 4
        ? (await connection.xAutoClaim('jobs', 'workers', name, 500, '0', { COUNT: 10 })).messages
        : (await connection.xReadGroup('workers', name, { key: 'jobs', id: '>' }, { COUNT: 5, BLOCK: 300 }))?.[0].messages;
      for (const entry of reply ?? []) {
        if (!entry) continue;
        runs++;
        await connection.multi().hSetNX('done', entry.id, entry.message.n).xAck('jobs', 'workers', entry.id).exec();
      }
    } catch {
      await pause(50);
      await connection.disconnect().catch(() => {});
      connection = await connect();
    }
  }
  await connection.disconnect();
}

const seen = [];
async function follow() {
  let connection = await connect();
  let last = '0';
  while (seen.length < jobs) {
    try {
      const reply = await connection.xRead({ key: 'jobs', id: last }, { BLOCK: 500, COUNT: 20 });
      for (const { id } of reply?.[0].messages ?? []) seen.push(last = id);
    } catch {
      await pause(50);
      await connection.disconnect().catch(() => {});
      connection = await connect();
    }
  }
  await connection.disconnect();
}

await insist(() => client.xGroupCreate('jobs', 'workers', '0', { MKSTREAM: true }).catch((error) => {
  if (!/BUSYGROUP/.test(error.message)) throw error;
}), 'XGROUP CREATE');
const workers = ['a', 'b', 'c'].map(work);
const following = follow();
const producing = produce();
await until(async () => {
  const done = await client.hLen('done');
  tellHalf(done);
  return done === jobs;
}, 'all jobs done');
await producing;
await following;
const expected = Array.from({ length: jobs }, (_, i) => jobId(i));
if (seen.join() !== expected.join()) throw new Error('XREAD showed something else than the entries in order, once each');
await until(async () => (await client.xPending('jobs', 'workers')).pending === 0, 'empty list of pending jobs');
ended = true;
await Promise.all(workers);
const { pending } = await client.xPending('jobs', 'workers');
judge({ acknowledged, completed: new Set(Object.keys(await client.hGetAll('done'))), runs, pending });
await client.disconnect();
