// ioredis against a running cluster: plain and cluster.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Redis from 'ioredis';
import { handOver, leaderPort, nodes } from './common.mjs';

let plain;
let cluster;

before(async () => {
  plain = new Redis({ host: '127.0.0.1', port: await leaderPort() });
  await plain.flushall();
  cluster = new Redis.Cluster(nodes, { clusterRetryStrategy: () => 50 });
});
after(() => {
  plain.disconnect();
  cluster.disconnect();
});

test('plain: values, nulls, errors, buffers', async () => {
  assert.equal(await plain.set('k', 'v', 'EX', 100), 'OK');
  assert.equal(await plain.get('k'), 'v');
  assert.equal(await plain.get('missing'), null);
  await assert.rejects(plain.lpush('k', 'x'), /WRONGTYPE/);
  const bytes = Buffer.from([0, 255, 13, 10, 1]);
  await plain.set(bytes, bytes);
  assert.deepEqual(await plain.getBuffer(bytes), bytes);
});

test('plain: pipeline and transaction', async () => {
  const pipeline = plain.pipeline();
  for (let i = 0; i < 2000; i++) pipeline.incr('n').get('n');
  const replies = await pipeline.exec();
  replies.forEach(([error, value], i) => assert.deepEqual([error, Number(value)], [null, Math.floor(i / 2) + 1]));
  assert.deepEqual(await plain.multi().set('a', 1).incr('a').get('a').exec(), [[null, 'OK'], [null, 2], [null, '2']]);
});

test('plain: scan stream', async () => {
  await plain.mset(...Array.from({ length: 300 }, (_, i) => [`scan:${i}`, i]).flat());
  const seen = new Set();
  for await (const keys of plain.scanStream({ match: 'scan:*', count: 20 })) keys.forEach((key) => seen.add(key));
  assert.equal(seen.size, 300);
});

test('plain: blocking pop', async () => {
  const waiter = plain.duplicate();
  const popped = waiter.blpop('queue', 10);
  await plain.rpush('queue', 'job');
  assert.deepEqual(await popped, ['queue', 'job']);
  waiter.disconnect();
});

test('plain: subscribers on every node', async () => {
  const subscribers = nodes.map((node) => new Redis({ ...node, lazyConnect: true }));
  try {
    const heard = subscribers.map(async (subscriber) => {
      await subscriber.connect();
      const messages = [];
      const enough = new Promise((resolve) => {
        subscriber.on('message', (channel, message) => messages.push([channel, message]) === 2 && resolve(messages));
        subscriber.on('pmessage', (pattern, channel, message) => messages.push([channel, message]) === 2 && resolve(messages));
      });
      await subscriber.subscribe('news');
      await subscriber.psubscribe('new?');
      return { enough };
    });
    const ready = await Promise.all(heard);
    assert.equal(await plain.publish('news', 'hello'), 2);
    for (const { enough } of ready) assert.deepEqual(await enough, [['news', 'hello'], ['news', 'hello']]);
  } finally {
    subscribers.forEach((subscriber) => subscriber.disconnect());
  }
});

test('cluster: publish and subscribe', async () => {
  const subscriber = new Redis.Cluster(nodes, { clusterRetryStrategy: () => 50 });
  try {
    const message = new Promise((resolve) => subscriber.on('message', (channel, text) => resolve([channel, text])));
    await subscriber.subscribe('jobs');
    await cluster.publish('jobs', 'one');
    assert.deepEqual(await message, ['jobs', 'one']);
  } finally {
    subscriber.disconnect();
  }
});

test('cluster: keys of every slot', async () => {
  const writes = Array.from({ length: 1000 }, (_, i) => cluster.set(`c:${i}`, i));
  assert.ok((await Promise.all(writes)).every((reply) => reply === 'OK'));
  const reads = await Promise.all(Array.from({ length: 1000 }, (_, i) => cluster.get(`c:${i}`)));
  assert.deepEqual(reads, Array.from({ length: 1000 }, (_, i) => String(i)));
  assert.equal(cluster.nodes('master').length, 1);
  assert.equal(cluster.nodes('slave').length, 2);
});

test('cluster: pipeline and transaction', async () => {
  const pipeline = cluster.pipeline();
  for (let i = 0; i < 500; i++) pipeline.incr('{p}n');
  assert.equal((await pipeline.exec()).at(-1)[1], 500);
  assert.deepEqual(await cluster.multi().set('{t}a', 1).get('{t}a').exec(), [[null, 'OK'], [null, '1']]);
});

test('cluster: reads from replicas are linearizable', async () => {
  const reader = new Redis.Cluster(nodes, { scaleReads: 'slave' });
  for (let i = 0; i < 200; i++) {
    await cluster.set('fresh', i);
    assert.equal(await reader.get('fresh'), String(i));
  }
  reader.disconnect();
});

test('cluster: follows a hand-over', async () => {
  for (let round = 0; round < 3; round++) {
    await cluster.set('round', round);
    await handOver();
    assert.equal(await cluster.get('round'), String(round));
    assert.equal(await cluster.set('round', 'after'), 'OK');
  }
});
