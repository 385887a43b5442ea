// The box of the figure's `meta.movable`, under the mouse: inside of it a drag moves it, at a corner
// resizes it. Plotly's own editable shapes want a click first, and would take the anchors' paths too.
// On a touch screen a finger scrolls the page; sliders move the box there.

const CORNER = 12; // pixels around a corner in which it is taken
const LEAST = 3; // pixels of a move that is meant

function watchDrags(state) {
  let held = null;
  const movable = () => (state.shown && state.layout.meta.moves ? state.layout.meta.movable : null);
  const listen = (target, kind, hear) =>
    target.addEventListener(kind, hear, { capture: true, signal: state.gone.signal });

  listen(state.plot, "mousedown", (event) => {
    const grip = event.button === 0 && gripAt(state, movable(), event);
    if (!grip) return;
    event.stopPropagation(); // no zoom begins
    event.preventDefault();
    held = { grip, start: event, box: movable() };
    tell(state, null);
  });
  listen(window, "mousemove", (event) => {
    if (held) {
      event.stopPropagation(); // nothing is hovered
      outline(state, pulled(state, held, event));
    } else if (state.plot.contains(event.target) && movable()) {
      const grip = gripAt(state, movable(), event);
      const corner = grip && (grip[0] === grip[1] ? "nwse-resize" : "nesw-resize");
      const cursor = grip && (grip.every(Boolean) ? "move" : corner);
      state.plot.querySelector(".nsewdrag").style.cursor = cursor || "";
    }
  });
  listen(window, "mouseup", (event) => {
    if (!held) return;
    const { start } = held;
    const box = pulled(state, held, event);
    held = null;
    event.stopPropagation();
    if (Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < LEAST) return;
    state.send("move", box.map((value) => Math.round(value * 10) / 10));
  });
}

// Which of x1, y1, x2, y2 follow the mouse from here; null outside of the box.
function gripAt({ plot }, box, event) {
  if (!box) return null;
  const { xaxis, yaxis } = plot._fullLayout;
  const place = plot.getBoundingClientRect();
  const x = event.clientX - place.left - xaxis._offset;
  const y = event.clientY - place.top - yaxis._offset;
  const [left, right] = [xaxis.l2p(box[0]), xaxis.l2p(box[2])];
  const [top, bottom] = [yaxis.l2p(box[1]), yaxis.l2p(box[3])];
  if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return null;
  const reach = Math.min(CORNER, (right - left) / 3, (bottom - top) / 3); // a small box keeps a middle
  const near = (a, b) => Math.abs(a - b) <= reach;
  const across = near(x, left) ? 0 : near(x, right) ? 2 : null;
  const down = near(y, top) ? 1 : near(y, bottom) ? 3 : null;
  if (across !== null && down !== null) return [0, 1, 2, 3].map((side) => side === across || side === down);
  const inside = x >= left - reach && x <= right + reach && y >= top - reach && y <= bottom + reach;
  return inside ? [true, true, true, true] : null;
}

function pulled({ plot }, { grip, start, box }, event) {
  const { xaxis, yaxis } = plot._fullLayout;
  const dx = xaxis.p2l(event.clientX) - xaxis.p2l(start.clientX);
  const dy = yaxis.p2l(event.clientY) - yaxis.p2l(start.clientY);
  const [x1, y1, x2, y2] = box.map((value, side) => value + (grip[side] ? (side % 2 ? dy : dx) : 0));
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}
