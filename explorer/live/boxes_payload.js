// What the live boxes get from boxes.py, and their overlapping pairs.
//
// [u32 length of the head][head as JSON][a bit a candidate: it survives][boxes, scores and anchor
// numbers, zlib]. Candidates stand best first: their place is their rank.

const MOST_PAIRS = 4_000_000; // 8 bytes each while they are sought, 6 afterwards

function readHead(payload) {
  const size = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(payload.subarray(4, 4 + size)));
  const bits = payload.subarray(4 + size, 4 + size + Math.ceil(head.count / 8));
  const kept = Uint8Array.from({ length: head.count }, (_, i) => (bits[i >> 3] >> (i & 7)) & 1);
  return { head, kept, packed: payload.subarray(4 + size + bits.length) };
}

// Every array's bytes come in four planes, first bytes first: zlib finds more in them so.
async function unpack(packed, head) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  const next = (Kind, length) => {
    const bytes = new Uint8Array(4 * length);
    for (let i = 0; i < length; i++) {
      for (let plane = 0; plane < 4; plane++) bytes[4 * i + plane] = planes[at + plane * length + i];
    }
    at += bytes.length;
    return new Kind(bytes.buffer);
  };
  const boxes = next(Float32Array, 4 * head.count);
  const scores = next(Float32Array, head.count);
  const anchors = next(Uint32Array, head.count);
  const levels = Uint8Array.from(anchors, (anchor) => head.starts.findLastIndex((start) => anchor >= start));
  return { boxes, scores, anchors, levels, areas: areasOf(boxes), groups: head.byLevel ? levels : null };
}

// A function that runs beside the page, with the functions that it stands on: the pairs of 4,500
// boxes take a quarter of a second, and to unpack takes turns that each wait for the page.
function beside(work, ...needed) {
  const answer = `onmessage = async ({ data }) => postMessage(await ${work.name}(...data));`;
  const worker = new Worker(URL.createObjectURL(new Blob([work, ...needed, answer].flatMap((part) => [part, "\n"]))));
  const waiting = [];
  worker.onmessage = ({ data }) => waiting.shift()(data);
  const call = (...given) =>
    new Promise((done) => {
      waiting.push(done);
      worker.postMessage(given);
    });
  return { call, stop: () => worker.terminate() };
}
