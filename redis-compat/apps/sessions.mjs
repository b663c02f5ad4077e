// express-session with connect-redis, whose ioredis client finds the leader through Sentinel: a visit that was answered
// is in the session of the next one, and no session is lost or mixed up.
import RedisStore from 'connect-redis';
import express from 'express';
import session from 'express-session';
import Redis from 'ioredis';
import { insist, jobs, nodes, pause, tellHalf } from './common.mjs';

const client = new Redis({
  sentinels: nodes, name: 'mymaster', sentinelRetryStrategy: () => 50, retryStrategy: () => 50, maxRetriesPerRequest: 2,
});
client.on('error', () => {});
const store = new RedisStore({ client });
const app = express();
app.use(session({ store, secret: 'secret', resave: false, saveUninitialized: false, cookie: { maxAge: 3600_000 } }));
app.post('/visit/:name', (request, response, next) => {
  request.session.name ??= request.params.name;
  request.session.visits = (request.session.visits ?? 0) + 1;
  const { name, visits } = request.session;
  request.session.save((error) => (error ? next(error) : response.json({ name, visits })));
});
app.post('/leave', (request, response, next) => {
  request.session.destroy((error) => (error ? next(error) : response.json({})));
});
app.use((error, request, response, next) => {
  if (response.headersSent) next(error); else response.status(503).json({});
});
const server = app.listen(0, '127.0.0.1');
await new Promise((resolve) => { server.on('listening', resolve); });

class Visitor {
  constructor(name) {
    this.name = name;
    this.visits = 0;
    this.unknown = 0;
    this.cookie = null;
  }

  async post(path) {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`,
      { method: 'POST', headers: this.cookie ? { cookie: this.cookie } : {} });
    const body = await response.json();
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    this.cookie ??= response.headers.get('set-cookie')?.split(';')[0] ?? null;
    return body;
  }

  async visit() {
    let answer;
    try {
      answer = await this.post(`/visit/${this.name}`);
    } catch {
      if (this.cookie) this.unknown++;
      await pause(20);
      return;
    }
    if (answer.name !== this.name) throw new Error(`${this.name} got the session of ${answer.name}`);
    if (answer.visits <= this.visits || answer.visits > this.visits + this.unknown + 1) {
      throw new Error(`${this.name}: visit ${answer.visits} after ${this.visits} and ${this.unknown} unknown`);
    }
    this.visits = answer.visits;
    this.unknown = 0;
    tellHalf(++answered);
  }
}

let answered = 0;
const visitors = Array.from({ length: 8 }, (_, i) => new Visitor(`visitor-${i}`));
await Promise.all(visitors.map(async (visitor) => {
  while (answered < jobs || visitor.visits === 0) await visitor.visit();
}));

const all = (await insist(() => new Promise((resolve, reject) => {
  store.all((error, sessions) => (error ? reject(error) : resolve(sessions)));
}), 'all sessions'));
for (const visitor of visitors) {
  const id = decodeURIComponent(visitor.cookie.split('=')[1]).slice(2).split('.')[0];
  const kept = all.find((one) => one.id === id);
  if (!kept || kept.name !== visitor.name || kept.visits < visitor.visits) {
    throw new Error(`${visitor.name}'s session is ${JSON.stringify(kept)}, ${visitor.visits} visits were answered`);
  }
  const left = await client.ttl(`sess:${id}`);
  if (left <= 3000 || left > 3600) throw new Error(`a session of an hour ends in ${left} s`);
  await insist(() => visitor.post('/leave'), 'leave');
  if (await client.exists(`sess:${id}`)) throw new Error(`${visitor.name} left, the session did not`);
}
console.log(`${answered} visits answered`);
process.exit(0);
