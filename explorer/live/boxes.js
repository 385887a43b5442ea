// The boxes before and after NMS on two linked boards, decided anew while a slider still moves.

const CROWD = 300; // more boxes than this hide each other: thin lines, no halo
const EDGE_SLACK = 6; // css pixels from an edge that still mean its box
const HALO = inkOf("#000000", 0.5);
const KEYS = "Arrow keys step through the boxes by rank, Enter pins one, Escape lets go, plus and minus zoom.";

// The same words written again would lay out the page again.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function build(root) {
  const state = { root, newest: 0, view: createView(), pinned: -1, shown: null };
  const counts = makeElement("div", "rpn-counts", root);
  state.counts = ["Candidates reach NMS", "Survive NMS, before the cap", "Proposals"].map((label) => {
    const tile = makeElement("div", "", counts);
    const parts = { label: makeElement("div", "", tile), value: makeElement("b", "", tile) };
    parts.label.textContent = label;
    return parts;
  });
  const pair = makeElement("div", "rpn-pair", root);
  state.sides = ["Before", "After"].map((name) => {
    const figure = makeElement("div", `rpn-${name.toLowerCase()}`, pair);
    const side = { name, title: makeElement("h3", "", figure), drawn: new Uint16Array(0) };
    side.board = createBoard(makeElement("div", "", figure), {
      view: state.view,
      onPointer: (x, y) => show(state, x === null ? null : { side, rank: boxAt(state, side, x, y), x, y }),
      onPick: (x, y) => pick(state, boxAt(state, side, x, y)),
      onKey: (event) => stepBy(state, side, event),
    });
    side.board.element.addEventListener("blur", () => show(state, null));
    return side;
  });
  state.story = makeElement("p", "rpn-story", root);
  state.spoken = makeElement("p", "rpn-spoken", root);
  state.spoken.setAttribute("aria-live", "polite");
  state.tip = createTooltip(root);
  state.update = inNextFrame(() => update(state));
  state.workers = { unpack: beside(unpack, areasOf), pairs: beside(findPairs, iouOf) };
  root.rpn = state; // for tests and benchmarks: what stands here, and the last frame's milliseconds
  state.survivors = ({ iou, score }) => filterBoxes(state.data.scores, suppress(state.data, state.pairs, iou), score).survivors;
  return state;
}

// Whom NMS keeps; until the pairs stand, the server's own answer where it holds.
function keptAt(state, { iou, score }) {
  const { head, data, pairs } = state;
  if (!pairs && iou === head.values.iou && score === head.values.score) return state.servedKept;
  if (state.decided?.iou !== iou) state.decided = { iou, kept: suppress(data, pairs, iou) };
  return state.decided.kept;
}

function update(state) {
  const { data } = state;
  if (!data) return;
  const began = performance.now();
  const values = state.sliders.values(state.head.values);
  const kept = keptAt(state, values);
  const { entering, survivors } = filterBoxes(data.scores, kept, values.score);
  const proposals = survivors.subarray(0, values.cap);
  Object.assign(state, { values, kept, result: { entering, survivors, proposals } });
  const cut = survivors.length - proposals.length;
  [entering, survivors, proposals].forEach((ranks, at) => write(state.counts[at].value, count(ranks.length)));
  write(state.counts[2].label, `Proposals: the cap of ${count(values.cap)} cuts ${cut ? count(cut) : "none"}`);
  for (const side of state.sides) {
    side.drawn = (side.name === "Before" ? entering : proposals).subarray(0, values.topK);
    const title = `${side.name} NMS: the best ${count(side.drawn.length)}`;
    write(side.title, title);
    side.board.setLabel(title, ` boxes over the picture. ${KEYS}`);
    side.board.drawNow((pen) => paint(state, side, pen));
  }
  mark(state);
  state.milliseconds = performance.now() - began;
  const { dataset } = state.root; // for tests: this payload is on the screen
  if (dataset.revision !== String(state.revision)) dataset.revision = state.revision;
}

function paint(state, { drawn, board }, pen) {
  const { data } = state;
  const crowded = drawn.length > CROWD;
  const box = (rank, margin, ink, width) => {
    const at = 4 * rank;
    const [x1, y1, x2, y2] = [data.boxes[at], data.boxes[at + 1], data.boxes[at + 2], data.boxes[at + 3]];
    pen.box(x1 - margin, y1 - margin, x2 + margin, y2 + margin, ink, width);
  };
  if (!crowded) for (const rank of drawn) box(rank, 1 / board.scale, HALO, 4);
  const inkFor = inks(state, drawn);
  for (let i = drawn.length - 1; i >= 0; i--) box(drawn[i], 0, inkFor(drawn[i]), crowded ? 1 : 2); // best on top
}

// A box's colour: its level, or which of five equal steps between the drawn scores it is in.
function inks({ data, head }, drawn) {
  const scale = (head.colour === "level" ? head.levelColours : head.scoreColours).map((hex) => inkOf(hex));
  if (head.colour === "level") return (rank) => scale[data.levels[rank]];
  let [low, high] = [Infinity, -Infinity];
  for (const rank of drawn) {
    low = Math.min(low, data.scores[rank]);
    high = Math.max(high, data.scores[rank]);
  }
  const step = (rank) => Math.floor(((data.scores[rank] - low) / Math.max(high - low, 1e-9)) * scale.length);
  return (rank) => scale[Math.min(Math.max(step(rank) || 0, 0), scale.length - 1)];
}

// The drawn box that the pointer means: the one with the nearest edge, else the smallest around it.
function boxAt({ data }, { drawn, board }, x, y) {
  const slack = EDGE_SLACK / board.scale;
  let [near, nearGap, inside, area] = [-1, slack, -1, Infinity];
  for (const rank of drawn) {
    const [x1, y1, x2, y2] = data.boxes.subarray(4 * rank, 4 * rank + 4);
    const gaps = [x - x1, x2 - x, y - y1, y2 - y]; // to each edge, positive inside
    const least = Math.min(...gaps);
    if (least < -slack) continue;
    const gap = least < 0 ? -least : Math.min(...gaps);
    if (gap < nearGap) [near, nearGap] = [rank, gap];
    const size = (x2 - x1) * (y2 - y1);
    if (least >= 0 && size < area) [inside, area] = [rank, size];
  }
  return near >= 0 ? near : inside;
}

// The box under the pointer or the keyboard's: outlined on both boards, told beside it.
function show(state, target) {
  if (!state.result) return;
  state.shown = target && target.rank >= 0 ? target : null;
  mark(state);
}

function mark(state) {
  const { data, shown } = state;
  const pinned = state.pinned < 0 ? -1 : data.anchors.indexOf(state.pinned);
  if (shown && shown.rank >= data.scores.length) state.shown = null;
  const told = state.shown?.rank ?? pinned;
  const fate = told >= 0 ? fateOf(state, told) : {};
  for (const { name, board } of state.sides) {
    const gone = (rank) => {
      if (rank < 0) return "";
      const passes = name === "Before" ? state.result.entering : state.result.proposals;
      return passes.includes(rank) ? "" : " gone";
    };
    const outline = (look, rank) => board.mark(look, rank >= 0 ? boxOf(state, rank) : null, look + gone(rank));
    outline("rival", fate.winner ? fate.winner.rank : -1);
    outline("hover", state.shown && state.shown.rank !== pinned ? state.shown.rank : -1);
    outline("pin", pinned);
  }
  if (state.shown) state.tip.show(state.shown.side.board, state.shown.x, state.shown.y, linesOf(state, state.shown.rank));
  else state.tip.hide();
  write(state.story, storyOf(state, pinned));
}

// A pinned box is named by its anchor, which other pages know too.
function pick(state, rank) {
  if (!state.data) return;
  const anchor = rank < 0 ? -1 : state.data.anchors[rank];
  const next = anchor === state.pinned ? -1 : anchor;
  if (next === state.pinned) return;
  state.pinned = next;
  mark(state);
  state.send("pick", next);
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, n: 1, ArrowLeft: -1, ArrowUp: -1, p: -1 };

function stepBy(state, side, event) {
  const rank = state.shown?.rank ?? -1;
  const last = side.drawn.length - 1;
  if (STEPS[event.key] && !event.shiftKey && last >= 0) {
    const at = side.drawn.indexOf(rank) + STEPS[event.key];
    focusOn(state, side, Math.min(Math.max(at, 0), last));
  } else if (event.key === "Home" && last >= 0) focusOn(state, side, 0);
  else if (event.key === "End" && last >= 0) focusOn(state, side, last);
  else if (event.key === "Enter" && rank >= 0) pick(state, rank);
  else if (event.key === "Escape" && rank >= 0) show(state, null);
  else if (event.key === "Escape" && state.pinned >= 0) pick(state, -1);
  else return false;
  return true;
}

function focusOn(state, side, place) {
  const rank = side.drawn[place];
  const [, y1, x2] = boxOf(state, rank);
  show(state, { side, rank, x: x2, y: y1 });
  state.spoken.textContent = linesOf(state, rank).join(", ");
}

async function receive(state, payload) {
  const revision = ++state.newest;
  const { head, kept, packed } = readHead(payload);
  const data = head.key === state.key ? state.data : await state.workers.unpack.call(packed, head);
  if (revision !== state.newest) return; // a newer payload has come
  if (data !== state.data) {
    Object.assign(state, { key: head.key, data, pairs: null, decided: null, shown: null });
    delete state.root.dataset.pairs;
    const field = { boxes: data.boxes, areas: data.areas, groups: data.groups };
    state.workers.pairs.call(field, MOST_PAIRS).then((pairs) => takePairs(state, head.key, pairs));
  }
  if (head.pick !== state.head?.pick) state.pinned = head.pick;
  Object.assign(state, { head, revision, servedKept: kept });
  state.sliders ??= followSliders(head.sliders, state.update);
  state.root.style.setProperty("--rpn-canvas", head.canvas);
  state.root.style.setProperty("--rpn-accent", head.accent);
  for (const { board } of state.sides) board.setPhoto(head.photo, head.width, head.height);
  update(state); // at once: the next frame may wait for a pass over the page
}

function takePairs(state, key, pairs) {
  if (key !== state.key) return; // of candidates that have gone
  state.pairs = pairs;
  state.root.dataset.pairs = pairs.ious.length; // for tests: from here on they decide
  state.update();
}

const states = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".rpn-live");
  let state = states.get(root);
  if (!state) {
    state = build(root);
    states.set(root, state);
  }
  state.send = setTriggerValue;
  rpnAhead.whole(root, data, (payload) => {
    const { head } = readHead(payload);
    rpnAhead.add(root, (newer) => receive(state, newer), Object.values(head.sliders));
    if (head.key === state.key) {
      rpnAhead.forget(root);
      receive(state, payload);
    } else rpnAhead.after(root, () => receive(state, payload));
  });

  return () =>
    setTimeout(() => {
      if (root.isConnected) return; // called again with new data, not taken away
      for (const worker of Object.values(state.workers)) worker.stop();
      state.sliders?.stop();
      for (const { board } of state.sides) board.remove();
    });
}
