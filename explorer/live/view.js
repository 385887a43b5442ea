// How a live canvas is zoomed and moved, by pointer, finger, wheel and keyboard: see board.js.

const MAX_ZOOM = 40;
const CLICK_SLACK = 4; // css pixels that a press may move and still be a click

// What part of the photo is shown, in shares of its sides: boards of any size can share one.
function createView() {
  const view = { zoom: 1, left: 0, top: 0, boards: new Set() };
  view.place = (zoom, left, top) => {
    view.zoom = Math.min(Math.max(zoom, 1), MAX_ZOOM);
    view.left = Math.min(Math.max(left, 0), 1 - 1 / view.zoom);
    view.top = Math.min(Math.max(top, 0), 1 - 1 / view.zoom);
    for (const board of view.boards) board.redraw();
  };
  view.reset = () => view.place(1, 0, 0);
  view.pan = (right, down) => view.place(view.zoom, view.left + right / view.zoom, view.top + down / view.zoom);
  // Zooms about a point, which stays where it is; `across` and `down` are shares of the board.
  view.zoomAt = (factor, across, down) => {
    const zoom = Math.min(Math.max(view.zoom * factor, 1), MAX_ZOOM);
    const kept = (place, share) => place + share / view.zoom - share / zoom;
    view.place(zoom, kept(view.left, across), kept(view.top, down));
  };
  return view;
}

const onButton = (event) => Boolean(event.target.closest("button"));

// One pointer hovers, picks or drags; two pinch. A finger scrolls the page until the board is zoomed
// (style: touch-action), and so does the wheel where there is nothing to zoom out of.
function watchPointer({ element, view, toPhoto }, shareOf, { onPointer, onPick }) {
  const down = new Map(); // pointer -> its share of the board
  let pressed = null; // where the press began, until it is no click any more
  const spread = () => {
    const [[x1, y1], [x2, y2]] = down.values();
    return { gap: Math.hypot(x2 - x1, y2 - y1) || 1e-6, middle: [(x1 + x2) / 2, (y1 + y2) / 2] };
  };
  element.addEventListener("pointerdown", (event) => {
    if (onButton(event) || event.button) return;
    down.set(event.pointerId, shareOf(event));
    pressed = down.size === 1 ? [event.clientX, event.clientY] : null;
  });
  element.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return void onPointer?.(...toPhoto(event), event);
    if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) <= CLICK_SLACK) return;
    if (pressed) element.setPointerCapture(event.pointerId);
    pressed = null;
    const now = shareOf(event);
    if (down.size === 2) {
      const old = spread();
      down.set(event.pointerId, now);
      const { gap, middle } = spread();
      view.pan(old.middle[0] - middle[0], old.middle[1] - middle[1]);
      view.zoomAt(gap / old.gap, ...middle);
    } else {
      down.set(event.pointerId, now);
      view.pan(before[0] - now[0], before[1] - now[1]);
    }
  });
  const release = (event) => down.delete(event.pointerId);
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener("pointerleave", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) release(event);
    onPointer?.(null);
  });
  element.addEventListener("click", (event) => {
    if (onButton(event)) return;
    if (pressed && event.detail < 2) onPick?.(...toPhoto(event), event); // the second is a double click
    pressed = null;
  });
  element.addEventListener("dblclick", (event) => onButton(event) || view.reset());
  element.addEventListener(
    "wheel",
    (event) => {
      if (event.deltaY >= 0 && view.zoom === 1 && !event.ctrlKey) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      view.zoomAt(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), ...shareOf(event));
    },
    { passive: false },
  );
}

const ARROWS = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };

function watchKeys({ element, view }, { onKey }) {
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    const used = onKey?.(event) || move(event.key);
    if (used) event.preventDefault();
  });
  function move(key) {
    if (key === "+" || key === "=") view.zoomAt(1.25, 0.5, 0.5);
    else if (key === "-") view.zoomAt(0.8, 0.5, 0.5);
    else if (view.zoom > 1 && (key === "0" || key === "Escape")) view.reset();
    else if (view.zoom > 1 && ARROWS[key]) view.pan(...ARROWS[key]);
    else return false;
    return true;
  }
}
