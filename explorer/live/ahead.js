// Figures ahead of the page's script: at each step of a slider the browser asks the server for what
// those in sight would show. One for all figures of a page; they say where they are and take what
// comes. The server's side is ahead.py.

const REST = 150; // ms without a script: what the last one sent stands
const FRESH = 2000; // ms for which a figure that came ahead is taken to be newer than a script's

function createAhead() {
  const figures = new Map(); // key -> {node, take}
  const moved = new Map(); // slider's key -> value
  const came = new Map(); // key -> when its last figure came ahead
  const held = new Map(); // key -> what to do with the script's own, once all is at rest
  let [asking, resting] = [false, 0];

  const keyOf = (node) => node.closest("[class*=st-key-]")?.className.match(/st-key-(\S+)/)[1];
  const inSight = (node) => {
    const { top, bottom, height } = node.getBoundingClientRect();
    return height > 0 && bottom > 0 && top < innerHeight;
  };

  function ask() {
    const token = document.querySelector("[data-ahead]")?.dataset.ahead;
    if (asking || !moved.size || !token) return;
    for (const [key, { node }] of figures) if (!node.isConnected) figures.delete(key);
    const news = (own) => [...moved.keys()].some((slider) => !own.includes(slider));
    const asked = [...figures].filter(([, { node, own }]) => inSight(node) && news(own));
    const body = JSON.stringify({ moved: Object.fromEntries(moved), figures: asked.map(([key]) => key) });
    moved.clear();
    if (!asked.length) return;
    asking = true;
    line.postMessage({ url: `${location.origin}/ahead/${token}`, body });
  }

  // An answer by `fetch` takes several turns of the event loop, each behind a pass of the page over
  // all its elements; a worker's message takes one.
  const post = async ({ data: { url, body } }) => {
    let bytes = null;
    try {
      const answer = await fetch(url, { method: "POST", body });
      if (answer.ok) bytes = await answer.arrayBuffer();
    } catch {
      // the script sends the figures all the same
    }
    postMessage(bytes);
  };
  const line = new Worker(URL.createObjectURL(new Blob([`onmessage = ${post}`])));
  line.onmessage = async ({ data }) => {
    try {
      if (data) await give(new Uint8Array(data));
    } finally {
      asking = false;
      ask();
    }
  };

  async function give(bytes) {
    const size = new DataView(bytes.buffer).getUint32(0, true);
    const lengths = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
    let at = 4 + size;
    for (const [key, length] of Object.entries(lengths)) {
      came.set(key, performance.now());
      held.delete(key);
      await figures.get(key)?.take(bytes.slice(at, at + length));
      at += length;
    }
  }

  function rest() {
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (document.querySelector("[data-test-script-state=running]") || asking) return rest();
      for (const act of held.values()) act();
      held.clear();
    }, REST);
  }

  // A slider's input carries its value as an attribute, which follows the finger.
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.matches("input[type=range]")) moved.set(keyOf(target), Number(target.getAttribute("value")));
    }
    ask();
  }).observe(document.body, { subtree: true, attributeFilter: ["value"] });

  return {
    // A figure, what it does with what comes, and sliders that it follows by itself.
    add(node, take, own = []) {
      const key = keyOf(node);
      if (figures.get(key)?.node !== node) {
        came.delete(key); // another page's, or mounted anew: nothing has come to this one
        held.delete(key);
      }
      figures.set(key, { node, take, own });
    },
    forget: (node) => held.delete(keyOf(node)),
    // What a script sent may be older than what came ahead: then it waits until all is at rest.
    after(node, act) {
      const key = keyOf(node);
      if (performance.now() - (came.get(key) ?? -FRESH) >= FRESH) return act();
      held.set(key, act);
      rest();
    },
  };
}

window.rpnAhead ??= createAhead();
