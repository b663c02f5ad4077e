// redlock: workers take two locks and, inside, add one to a number by a GET and a SET of their own. If two ever held
// the locks at once, an addition would be lost.
import Redis from 'ioredis';
import Redlock from 'redlock';
import { clusterOptions, insist, jobs, nodes, tellHalf, until } from './common.mjs';

const client = new Redis.Cluster(nodes, clusterOptions);
client.on('error', () => {});
// A lock whose acknowledgement was lost is nobody's until it expires, so it is short, and extended while it is used.
// The retries have an end, since releasing what is released already never succeeds.
const redlock = new Redlock([client], {
  retryCount: 50, retryDelay: 10, retryJitter: 10, automaticExtensionThreshold: 1500,
});
redlock.on('error', () => {});
const locks = ['{lock}:a', '{lock}:b'];

let sections = 0;
let inside = 0;
async function section(signal) {
  if (inside !== 0 && !signal.aborted) throw new Error('two workers hold the locks at once');
  inside++;
  try {
    const read = Number(await insist(() => client.get('number'), 'GET') ?? 0);
    if (read !== sections) throw new Error(`read ${read} after ${sections} additions`);
    await insist(() => client.set('number', read + 1), 'SET');
    sections++;
    tellHalf(sections);
  } finally {
    inside--;
  }
}

let broken = null;
async function work() {
  while (sections < jobs && !broken) {
    await insist(() => redlock.using(locks, 3000, (signal) => section(signal).catch((error) => { broken ??= error; })),
      'locks');
  }
}
await Promise.all([1, 2, 3, 4].map(work));
if (broken) throw broken;
const number = Number(await insist(() => client.get('number'), 'GET'));
if (number !== sections) throw new Error(`${sections} additions, and the number is ${number}`);
await until(async () => (await client.exists(...locks)) === 0, 'end of the locks', 10000);

const held = await redlock.acquire(locks, 10000);
const other = new Redlock([client], { retryCount: 0 });
other.on('error', () => {});
if (await other.acquire(locks, 1000).then(() => true, () => false)) throw new Error('a held lock was given away');
const longer = await held.extend(20000);
if ((await client.pttl(locks[0])) <= 10000) throw new Error('the lock was not extended');
await longer.release();
await (await other.acquire(locks, 1000)).release();
console.log(`${sections} additions`);
process.exit(0);
