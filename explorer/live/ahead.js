// Figures ahead of the page's script: at each step of a slider the browser asks the server for what
// those in sight would show. One for all figures of a page; they say where they are and take what
// comes. The server's side is ahead.py.

const AT_REST = 150; // ms without a script, once one has taken what moved: what it sent stands
const ASKS = 30; // whether one has; then none is to come: it refused the value, or a finger holds it
const NAME_BYTES = 30; // a figure's name has fewer

function createAhead() {
  const figures = new Map(); // key -> {node, take}
  const moved = new Map(); // slider's key -> value, to be asked with
  const away = new Set(); // keys of sliders that moved since all was at rest
  const came = new Set(); // keys of figures that came ahead since then
  const held = new Map(); // key -> what to do with the script's own, once all is at rest
  const had = new Map(); // key -> {number, bytes}, the last that came ahead
  const missed = new Map(); // key -> {node, take} of a figure that a script named, and that is not here
  let [asking, resting, tries, steps, taken, asks] = [false, 0, 0, 0, 0, 0];

  const keyOf = (node) => node.closest("[class*=st-key-]")?.className.match(/st-key-(\S+)/)[1];
  const valueOf = (input) => Number(input.getAttribute("value")); // follows the finger
  const inSight = (node) => {
    const { top, bottom, height } = node.getBoundingClientRect();
    return height > 0 && bottom > 0 && top < innerHeight;
  };

  const token = () => document.querySelector("[data-ahead]")?.dataset.ahead;

  function ask() {
    if (asking || !(moved.size || missed.size) || !token()) return;
    for (const known of [figures, missed]) {
      for (const [key, { node }] of known) if (!node.isConnected) known.delete(key);
    }
    const news = (own) => [...moved.keys()].some((slider) => !own.includes(slider));
    const asked = [...figures].filter(([, { node, own }]) => inSight(node) && news(own));
    const topOf = ([, { node }]) => node.getBoundingClientRect().top;
    asked.sort((one, other) => topOf(one) - topOf(other)); // as they are read
    const keys = [...new Set([...asked.map(([key]) => key), ...missed.keys()])];
    const order = { url: `${location.origin}/ahead/${token()}`, moved: Object.fromEntries(moved), keys };
    moved.clear();
    if (!keys.length) return;
    asking = true;
    line.postMessage(order);
  }

  // An answer by `fetch` takes several turns of the event loop, each behind a pass of the page over
  // all its elements; a worker's message takes one. While one figure is drawn, the next is made.
  const post = async ({ data: { url, moved, keys } }) => {
    const each = async (key) => {
      const answer = await fetch(url, { method: "POST", body: JSON.stringify({ moved, figure: key }) });
      if (answer.status !== 200) return;
      const number = Number(answer.headers.get("x-ahead"));
      postMessage({ key, number, bytes: new Uint8Array(await answer.arrayBuffer()) });
    };
    await Promise.allSettled(keys.map(each)); // what does not come, the script sends all the same
    postMessage(null);
  };
  const line = new Worker(URL.createObjectURL(new Blob([`onmessage = ${post}`])));
  line.onmessage = ({ data: figure }) => {
    if (figure) return give(figure);
    asking = false;
    if (moved.size) ask();
    else if (missed.size) setTimeout(ask, AT_REST * ++tries); // a busy server makes none
  };

  function give({ key, number, bytes }) {
    const { take } = missed.get(key) ?? figures.get(key) ?? {};
    came.add(key);
    had.set(key, { number, bytes });
    held.delete(key);
    missed.delete(key);
    tries = 0;
    rest();
    take?.(bytes);
  }

  function rest() {
    clearTimeout(resting);
    resting = setTimeout(() => {
      const running = document.querySelector("[data-test-script-state=running]");
      if (running || asking) return rest();
      if (came.size && taken !== steps && asks < ASKS) return askTaken().then(rest);
      for (const act of held.values()) act();
      held.clear();
      came.clear();
      away.clear();
    }, AT_REST);
  }

  // Until a script has taken the sliders' last values, what came ahead is newer than what scripts
  // send. How long that lasts, on a slow line or a busy server, is for the server to say.
  async function askTaken() {
    asks += 1;
    const step = steps;
    const inputs = [...away].map((key) => [key, document.querySelector(`.st-key-${key} input[type=range]`)]);
    const here = inputs.filter(([, input]) => input).map(([key, input]) => [key, valueOf(input)]);
    const body = JSON.stringify({ moved: Object.fromEntries(here) });
    const answer = await fetch(`/taken/${token()}`, { method: "POST", body }).catch(() => null);
    if (!answer?.ok || (await answer.json())) taken = step; // where nobody answers, no script is to come
  }

  // A slider that is not in hand moves since a script moved it.
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (!target.matches("input[type=range]:focus")) continue;
      const key = keyOf(target);
      moved.set(key, valueOf(target));
      away.add(key);
      steps += 1;
      asks = 0;
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
    // A script does not send again what came ahead: it names it. What is named and not here is on its
    // way, or lost; an older one than is here was right only if nothing follows.
    whole(node, data, take) {
      const number = data.length < NAME_BYTES && Number(new TextDecoder().decode(data).match(/^ahead (\d+)$/)?.[1]);
      const key = keyOf(node);
      const last = had.get(key);
      if (!number) return take(data);
      if (last?.number === number) return take(last.bytes);
      const miss = () => missed.set(key, { node, take });
      if (last?.number > number) {
        held.set(key, () => miss() && ask());
        return rest();
      }
      miss();
      setTimeout(ask, AT_REST);
    },
    forget: (node) => held.delete(keyOf(node)),
    // What a script sent may be older than what came ahead: then it waits until all is at rest.
    after(node, act) {
      const key = keyOf(node);
      if (!came.has(key)) return act();
      held.set(key, act);
      rest();
    },
  };
}

window.rpnAhead ??= createAhead();
