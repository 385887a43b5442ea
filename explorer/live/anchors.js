// The Anchors page's picture: the centres of a level's cells, and all anchors of one cell.

const LINE = 3; // css pixels
const HALO = inkOf("#000000", 0.6); // keeps a line apart from a bright photo
const NEAR = 8; // css pixels from an edge at which the pointer means that box
const FEW = 12; // anchors a cell whose names fit under the picture
const PAUSE = 200; // milliseconds without an arrow key after which Python hears of the cell

function titleOf({ level, moving, step, boxes }) {
  const every = step === 1 ? "every cell" : `every ${step}${step % 10 === 2 ? "nd" : "th"} cell`;
  const anchors = boxes.length > 1 ? `${boxes.length} anchors` : "anchor";
  return `${level.name}${moving ? " moves" : ""}: ${every}, and the ${anchors} of one`;
}

function mountBoard(state) {
  const { root } = state;
  root.classList.add("rpn-plot");
  state.sent = []; // cells that Python has not told back
  state.title = makeElement("div", "rpn-anchors-title", root);
  state.count = makeElement("div", "rpn-anchors-count", root);
  state.board = createBoard(makeElement("div", "", root), {
    onPointer: (x, y) => hover(state, x === null ? null : [x, y]),
    onPick: (x, y, event) => pick(state, x, y, event),
    onKey: (event) => onKey(state, event),
  });
  state.names = makeElement("div", "key", root);
  state.tip = createTooltip(root);
  state.redraw = () => state.board.draw((pen) => paint(state, pen));
}

// Row and column that were chosen, inside this level's grid; -1 is the middle.
function chosenCell({ data, cell }, { rows, columns }) {
  const within = (place, cells) => (place < 0 ? Math.floor(cells / 2) : Math.min(place, cells - 1));
  const [row, column] = cell ?? data.cell;
  return [within(row, rows), within(column, columns)];
}

function paint(state, pen) {
  const { data, board } = state;
  const laid = lay(state);
  const { anchors, level } = laid;
  const cell = chosenCell(state, level);
  const shapes = cellShapes(anchors, level.place);
  const boxes = anchorsAt(shapes, level, cell, anchors.offset);
  const step = cellStep(level);
  const centres = centresOf(level, anchors.offset, step);
  const shown = (state.root.rpnShown = { ...laid, cell, boxes, step, centres });

  const ink = inkOf(pickFrom(data.colours.levels, level.place));
  for (const centre of centres) cross(pen, centre, HALO, 4, 4);
  for (const centre of centres) cross(pen, centre, ink, 3, 2);
  const more = LINE / 2 / board.scale;
  for (const [x1, y1, x2, y2] of boxes) pen.box(x1 - more, y1 - more, x2 + more, y2 + more, HALO, 2 * LINE);
  boxes.forEach((box, place) => pen.box(...box, inkOf(pickFrom(data.colours.shapes, place)), LINE));
  const middle = anchorsAt([[0, 0, 0, 0]], level, cell, anchors.offset)[0];
  cross(pen, middle, HALO, 9, 7);
  cross(pen, middle, inkOf(data.colours.accent), 8, 4);

  const at = placeOf(laid.levels, data.follow);
  const here = at?.level === level.place;
  shown.followed = here ? anchorsAt(shapes, level, [at.row, at.column], anchors.offset)[at.shape] : null;
  board.mark("follow", shown.followed, "pin");
  say(state, shown);
  hover(state, state.pointer);
  state.root.dataset.revision = state.revision; // for tests: what Python sent is on the screen
}

function say({ title, count, names, board, data }, shown) {
  const { anchors, level, cell, total } = shown;
  const words = `${grouped(total)} anchors, ${grouped(level.count)} of them on ${level.name}`;
  put(title, titleOf(shown));
  put(count, words);
  board.setLabel(titleOf(shown), `, row ${cell[0]}, column ${cell[1]}. ${words}. Arrow keys choose another cell.`);
  const called = shapeNames(anchors, level.place);
  const swatch = (name, place) => `<i style="background:${pickFrom(data.colours.shapes, place)}"></i>${name}`;
  put(names, called.length > FEW ? "" : called.map(swatch).join(""));
}

// An upright cross: `arm` and `width` in css pixels.
function cross(pen, [x, y], ink, arm, width) {
  const line = Math.max(1, Math.round(width * pen.ratio));
  const reach = Math.round(arm * pen.ratio);
  const left = Math.round((x - pen.left) * pen.scaleX - line / 2);
  const top = Math.round((y - pen.top) * pen.scaleY - line / 2);
  pen.fill(left - reach, top, left + line + reach, top + line, ink);
  pen.fill(left, top - reach, left + line, top + line + reach, ink);
}

// Which of the cell's anchors has an edge near a place of the photo; -1 if none.
function anchorNear({ board, root }, [x, y]) {
  const away = ([x1, y1, x2, y2]) =>
    Math.hypot(Math.max(x1 - x, 0, x - x2), Math.max(y1 - y, 0, y - y2)) || Math.min(x - x1, x2 - x, y - y1, y2 - y);
  const distances = root.rpnShown.boxes.map(away);
  const least = Math.min(...distances);
  return least * board.scale > NEAR ? -1 : distances.indexOf(least);
}

const numberOf = ({ level, cell: [row, column] }, shape) =>
  level.start + (row * level.columns + column) * level.perCell + shape;

function hover(state, pointer) {
  const { board, tip, root } = state;
  state.pointer = pointer;
  const shape = pointer && root.rpnShown ? anchorNear(state, pointer) : -1;
  board.mark("hover", shape < 0 ? null : root.rpnShown.boxes[shape]);
  if (shape < 0) return tip.hide();
  const { anchors, level, cell, boxes } = root.rpnShown;
  const name = (size, ratio) => `size ${short(size)}, ratio ${short(ratio)}`;
  const [x1, y1, x2, y2] = boxes[shape];
  tip.show(board, ...pointer, [
    anchors.pairs ? "listed shape" : inOrder(anchors, level.place, name)[shape],
    `${(x2 - x1).toFixed(1)} x ${(y2 - y1).toFixed(1)} px`,
    `${level.name}, row ${cell[0]}, column ${cell[1]}`,
    `anchor ${grouped(numberOf(root.rpnShown, shape))}: shift-click follows it`,
  ]);
}

function pick(state, x, y, event) {
  const shape = event.shiftKey ? anchorNear(state, [x, y]) : -1;
  if (shape >= 0) return state.send("follow", numberOf(state.root.rpnShown, shape));
  const { rows, columns, strideX, strideY } = state.root.rpnShown.level;
  const along = (pixels, stride, cells) => Math.min(Math.floor(Math.max(pixels, 0) / stride), cells - 1);
  state.cell = [along(y, strideY, rows), along(x, strideX, columns)];
  report(state);
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function onKey(state, event) {
  if (event.key === "Enter") report(state);
  const step = STEPS[event.key];
  if (!step) return event.key === "Enter";
  const { anchors, level, cell } = state.root.rpnShown;
  const last = [level.rows - 1, level.columns - 1];
  state.cell = cell.map((place, axis) => Math.min(Math.max(place + step[axis], 0), last[axis]));
  keepInView(state.board, anchorsAt([[0, 0, 0, 0]], level, state.cell, anchors.offset)[0]);
  state.redraw();
  clearTimeout(state.pause);
  state.pause = setTimeout(() => report(state), PAUSE);
  return true;
}

function keepInView({ view, photo }, [x, y]) {
  const [right, down] = [x / photo.width - view.left, y / photo.height - view.top];
  const margin = 0.05 / view.zoom;
  const out = (share) => share < margin || share > 1 / view.zoom - margin;
  const middle = 0.5 / view.zoom;
  if (out(right) || out(down)) view.place(view.zoom, view.left + right - middle, view.top + down - middle);
}

function report(state) {
  clearTimeout(state.pause);
  state.pause = 0;
  state.redraw();
  if (!state.cell) return;
  if (sameCell(state.cell, state.data.cell)) state.sent.length = 0; // back again: Python tells nothing new
  else state.sent.push(state.cell);
  state.send("cell", state.cell);
}

function sameCell(one, other) {
  return one[0] === other[0] && one[1] === other[1];
}

// Whether the reader's keys and clicks are further on than what Python has just told.
function isAhead(state, told) {
  const answered = state.sent.findLastIndex((cell) => sameCell(cell, told));
  if (answered >= 0) state.sent.splice(0, answered + 1);
  else if (!sameCell(told, state.data.cell)) state.sent.length = 0; // another control has chosen
  return Boolean(state.pause || state.sent.length);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".rpn-anchors");
  const state = stateOf(root, mountBoard);
  if (state.data && !isAhead(state, data.cell)) state.cell = null;
  Object.assign(state, { data, send: setTriggerValue, revision: (state.revision ?? 0) + 1 });
  state.board.setPhoto(data.photo, data.image[1], data.image[0]);
  state.settle();
  return whenGone(state, () => {
    clearTimeout(state.pause);
    state.board.remove();
  });
}
