// node-redis against a running cluster: plain (RESP2) and cluster.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient, createCluster } from 'redis';
import { handOver, leaderPort, nodes } from './common.mjs';

let plain;
let cluster;

before(async () => {
  plain = createClient({ socket: { host: '127.0.0.1', port: await leaderPort() } });
  plain.on('error', () => {});
  await plain.connect();
  await plain.flushAll();
  cluster = createCluster({
    rootNodes: nodes.map((socket) => ({ socket })),
    defaults: { socket: { reconnectStrategy: () => 50 } },
  });
  cluster.on('error', () => {});
  await cluster.connect();
});
after(async () => {
  await plain.disconnect();
  await cluster.disconnect();
});

test('plain: the families', async () => {
  assert.equal(await plain.set('k', 'v', { EX: 100, GET: true }), null);
  assert.equal(await plain.get('k'), 'v');
  assert.ok((await plain.ttl('k')) > 0);
  assert.equal(await plain.rPush('l', ['a', 'b', 'c']), 3);
  assert.deepEqual(await plain.lRange('l', 0, -1), ['a', 'b', 'c']);
  assert.deepEqual(await plain.lmPop('l', 'LEFT', { COUNT: 2 }), ['l', ['a', 'b']]);
  assert.equal(await plain.sAdd('s', ['x', 'y']), 2);
  assert.deepEqual((await plain.sMembers('s')).sort(), ['x', 'y']);
  assert.equal(await plain.sInterCard(['s', 's']), 2);
  await assert.rejects(plain.incr('l'), /WRONGTYPE/);
  assert.equal(await plain.copy('k', 'k2'), true);
});

test('plain: transaction and watch', async () => {
  assert.deepEqual(await plain.multi().set('a', '1').incr('a').get('a').exec(), ['OK', 2, '2']);
  await plain.executeIsolated(async (isolated) => {
    await isolated.watch('a');
    await plain.set('a', 'changed');
    await assert.rejects(isolated.multi().set('a', 'lost').exec(), /watched keys/);
  });
  assert.equal(await plain.get('a'), 'changed');
});

test('plain: everything at once is pipelined in order', async () => {
  const replies = await Promise.all(Array.from({ length: 3000 }, () => plain.incr('n')));
  assert.deepEqual(replies, Array.from({ length: 3000 }, (_, i) => i + 1));
});

test('plain: scan iterator', async () => {
  const seen = new Set();
  await plain.mSet(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`scan:${i}`, String(i)])));
  for await (const key of plain.scanIterator({ MATCH: 'scan:*', COUNT: 20 })) seen.add(key);
  assert.equal(seen.size, 200);
});

test('cluster: keys of every slot', async () => {
  await Promise.all(Array.from({ length: 500 }, (_, i) => cluster.set(`c:${i}`, String(i))));
  const reads = await Promise.all(Array.from({ length: 500 }, (_, i) => cluster.get(`c:${i}`)));
  assert.deepEqual(reads, Array.from({ length: 500 }, (_, i) => String(i)));
  assert.equal(cluster.masters.length, 1);
});

test('cluster: transaction', async () => {
  assert.deepEqual(await cluster.multi().set('{t}a', '1').incr('{t}a').exec(), ['OK', 2]);
});

test('cluster: follows a hand-over', async () => {
  for (let round = 0; round < 3; round++) {
    await cluster.set('round', String(round));
    await handOver();
    assert.equal(await cluster.get('round'), String(round));
    assert.equal(await cluster.set('round', 'after'), 'OK');
  }
});
