// Broadcasts to whoever is connected, as Node programs do: `node live.mjs (ws | sse)` says where it listens; POST /go/COUNT sends so many messages
// to each. Where a reader has more than a megabyte before it, it waits.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const way = process.argv[2];
const clients = new Set();
const details = '{"project":"WEB","command":"00000000-0000-7000-8000-000000000000","operations":6}';
const event = (seq) => `{"seq":${seq},"ts":"2026-11-21T14:00:00.000000Z","event":"bench.told","actor":"owner","target":"WEB","details":${details}}`;

const server = createServer(async (request, response) => {
  if (request.method === "POST") {
    await broadcast(Number(request.url.split("/").pop()));
    response.end();
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("retry: 1000\n\n");
  clients.add({ send: (message) => response.write(message), waiting: () => response.writableLength });
});

if (way === "ws") {
  new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
    clients.add({ send: (message) => socket.send(message, { binary: false }), waiting: () => socket.bufferedAmount });
    socket.on("message", (data) => {
      if (JSON.parse(data).type === "ping") socket.send('{"type":"pong"}');
    });
  });
}

async function broadcast(count) {
  for (let seq = 0; seq < count; seq += 1) {
    const message = way === "ws" ? Buffer.from(event(seq)) : `id: ${seq}\ndata: ${event(seq)}\n\n`;
    for (const client of clients) client.send(message);
    await new Promise(setImmediate);
    while ([...clients].some((client) => client.waiting() > 1 << 20)) await new Promise(setImmediate);
  }
}

server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
