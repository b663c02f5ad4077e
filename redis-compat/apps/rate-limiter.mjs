// rate-limiter-flexible: never more is allowed than the limit, and a point that was acknowledged stays consumed.
import Redis from 'ioredis';
import { BurstyRateLimiter, RateLimiterRedis } from 'rate-limiter-flexible';
import { clusterOptions, jobs, nodes, pause, tellHalf, until } from './common.mjs';

const storeClient = new Redis.Cluster(nodes, clusterOptions);
storeClient.on('error', () => {});
const limiter = new RateLimiterRedis({ storeClient, keyPrefix: 'login', points: jobs, duration: 3600 });
const isRefusal = (reason) => !(reason instanceof Error);

// Undefined: the outcome is unknown.
const consume = (from, key, points) => from.consume(key, points)
  .then((result) => ({ allowed: true, ...result.toJSON() }))
  .catch((reason) => { if (isRefusal(reason)) return { allowed: false, ...reason.toJSON() }; });

const WORKERS = 4;
const consumed = new Set();
let allowed = 0;
let refused = 0;
let unknown = 0;
async function work() {
  let newest = 0;
  while (refused < 20) {
    const result = await consume(limiter, 'user');
    if (!result) {
      unknown++;
      await pause(5);
      continue;
    }
    if (result.consumedPoints <= newest) throw new Error(`${result.consumedPoints} points consumed after ${newest}`);
    newest = result.consumedPoints;
    if (consumed.has(newest)) throw new Error(`point ${newest} was given twice`);
    consumed.add(newest);
    if (result.allowed) allowed++; else refused++;
    if (result.allowed !== newest <= jobs) throw new Error(`point ${newest}: allowed is ${result.allowed}`);
    tellHalf(allowed);
  }
}
await Promise.all(Array.from({ length: WORKERS }, work));
// ioredis sends a command again whose connection was lost, so each worker may have lost the reply to one more.
if (allowed > jobs || allowed < jobs - unknown - WORKERS) {
  throw new Error(`${allowed} of ${jobs} allowed, ${unknown} unknown`);
}
const total = (await limiter.get('user')).consumedPoints;
if (total < allowed + refused) throw new Error(`${total} points consumed, ${allowed + refused} acknowledged`);

const check = (fact, what) => { if (!fact) throw new Error(what); };
check((await consume(limiter, 'other', 2)).consumedPoints === 2, 'consume of two');
check((await limiter.penalty('other', 3)).consumedPoints === 5, 'penalty');
check((await limiter.reward('other', 1)).consumedPoints === 4, 'reward');
await limiter.block('other', 60);
const blocked = await consume(limiter, 'other');
check(!blocked.allowed && blocked.msBeforeNext > 50000 && blocked.msBeforeNext <= 60000, 'block');
check(await limiter.delete('other'), 'delete');
check((await consume(limiter, 'other')).consumedPoints === 1, 'consume after delete');
await limiter.set('other', jobs, 60);
check(!(await consume(limiter, 'other')).allowed, 'set');
const strict = new RateLimiterRedis({ storeClient, keyPrefix: 'strict', points: 1, duration: 1 });
const burst = new RateLimiterRedis({ storeClient, keyPrefix: 'burst', points: 1, duration: 60 });
const bursty = new BurstyRateLimiter(strict, burst);
const both = await Promise.all([consume(strict, 'a'), consume(strict, 'a')]);
check(both.filter((result) => result.allowed).length === 1, 'one of two');
check(await bursty.consume('a').then(() => true, () => false), 'burst');
check(!(await bursty.consume('a').then(() => true, () => false)), 'end of the burst');
await until(async () => (await consume(strict, 'a')).allowed, 'new second', 5000);
console.log(`${allowed} allowed, ${refused} refused, ${unknown} unknown`);
process.exit(0);
