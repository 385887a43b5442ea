// The decoded box and its arithmetic follow the four sliders while the finger still moves them.
//
// Nothing of its own is drawn: it moves the shapes of the Plotly figure under one key and rewrites
// the numbers of the table under another. What Python sends on release is the same.

const round = Math.fround; // the core computes in float32
const FAR = 1e5; // as explorer/figures/biography.py

// (dx, dy, dw, dh) of the sliders -> every number of the arithmetic, by its name in the table.
function decode({ anchor: [x, y, w, h], weights, clamp, image: [height, width] }, deltas) {
  const raw = ["dx", "dy", "dw", "dh"].map((name) => round(deltas[name]));
  const [dx, dy, dw, dh] = raw.map((delta, place) => round(delta / round(weights[place])));
  const power = (delta) => round(Math.exp(clamp === null ? delta : Math.min(delta, round(clamp))));
  const cx = round(round(dx * w) + x);
  const cy = round(round(dy * h) + y);
  const wide = round(power(dw) * w);
  const high = round(power(dh) * h);
  const [x1, y1] = [round(cx - wide / 2), round(cy - high / 2)];
  const [x2, y2] = [round(cx + wide / 2), round(cy + high / 2)];
  const inside = (value, end) => Math.min(Math.max(value, 0), end);
  const clipped = { cx1: inside(x1, width), cy1: inside(y1, height), cx2: inside(x2, width), cy2: inside(y2, height) };
  const [rdx, rdy, rdw, rdh] = raw;
  const halves = { hw: wide / 2, hh: high / 2 };
  return { rdx, rdy, rdw, rdh, dx, dy, dw, dh, x: cx, y: cy, w: wide, h: high, x1, y1, x2, y2, ...halves, ...clipped };
}

// As explorer/pages/_arithmetic.py writes a number.
function written(value, digits) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size < 1e6 && (size === 0 || size >= 10 ** -digits)) return sign + size.toFixed(digits);
  const [mantissa, exponent] = size.toExponential(2).split("e");
  return `${sign}${mantissa}·10<sup>${Number(exponent)}</sup>`.replace("<sup>-", "<sup>−");
}

function rewrite(table, numbers) {
  for (const node of table?.querySelectorAll("[data-number]") ?? []) {
    const name = node.dataset.number;
    const value = numbers[name.replace("+", "")];
    const text = written(name[0] === "+" ? Math.abs(value) : value, /d[xywh]$/.test(name) ? 4 : 2);
    const shown = name[0] === "+" ? `${value < 0 ? "−" : "+"} ${text}` : text;
    if (node.innerHTML !== shown) node.innerHTML = shown;
  }
}

const tenth = (value) => Math.round(10 * value) / 10; // as Python writes places, or all is drawn twice

const boxPath = ([x1, y1, x2, y2]) => `M${x1},${y1}H${x2}V${y2}H${x1}Z`;

// Lines between the corners of the anchor and the same corners of the box.
function linksPath(anchor, box) {
  const corners = [0, 2].flatMap((i) => [1, 3].map((j) => [i, j]));
  return corners.map(([i, j]) => `M${anchor[i]},${anchor[j]}L${box[i]},${box[j]}`).join("");
}

function redraw(plot, { anchorBox }, numbers) {
  const near = (value) => Math.min(Math.max(value, -FAR), FAR);
  const box = ["cx1", "cy1", "cx2", "cy2"].map((name) => near(numbers[name]));
  const [tenths, whole] = [box, ["x1", "y1", "x2", "y2"].map((name) => near(numbers[name]))].map((each) => each.map(tenth));
  const paths = { box: boxPath(tenths), whole: boxPath(whole), links: linksPath(anchorBox.map(tenth), whole) };
  plot?.rpnMove?.((layout) => {
    for (const shape of layout.shapes) shape.path = paths[shape.name] ?? shape.path;
    const [left, right] = layout.xaxis.range;
    const [bottom, top] = layout.yaxis.range;
    const [wide, air] = [0.2 * (right - left), 0.08 * (bottom - top)];
    const within = (value, low, high) => tenth(Math.min(Math.max(value, low), high));
    const word = layout.annotations.find(({ name }) => name === "box");
    Object.assign(word, { x: within(box[0], left, right - wide), y: within(box[1], top + air, bottom - air) });
  });
}

function update({ data, sliders, root }) {
  const numbers = decode(data, sliders.values(data.deltas));
  redraw(document.querySelector(`.st-key-${data.plot} .rpn-plot`), data, numbers);
  rewrite(document.querySelector(`.st-key-${data.table}`), numbers);
  root.rpnMoves = (root.rpnMoves ?? 0) + 1; // for tests: how often it followed
}

// Where Python moved a slider, its input changes first, rounded to a step, and the number follows.
function takeData(state, data) {
  state.data = data;
  if (state.root.rpnMoves) state.redraw();
}

const states = new WeakMap();

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".rpn-deltas");
  let state = states.get(root);
  if (!state) {
    state = { root };
    states.set(root, state);
    state.redraw = inNextFrame(() => root.isConnected && update(state));
    state.sliders = followSliders(data.sliders, state.redraw);
  }
  takeData(state, data);
  return () =>
    setTimeout(() => {
      if (!root.isConnected) state.sliders.stop();
    });
}
