// co-wechat on koa, as its README shows it. ADDRESS is HOST:PORT or unix:PATH.
'use strict';

const Koa = require('koa');
const wechat = require('co-wechat');

const [host, port] = process.argv[2].split(/:(?=[^:]*$)/);
const app = new Koa();
app.use(wechat({
  token: process.env.BENCH_TOKEN,
  appid: process.env.BENCH_APPID,
  encodingAESKey: process.env.BENCH_AES_KEY,
}).middleware(async (message) => 'echo: ' + message.Content));

if (host === 'unix') {
  app.listen(port);
} else {
  app.listen(Number(port), host);
}
