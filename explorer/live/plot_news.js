// What Plotly has to draw of a new figure. It takes an array for a changed one unless it is the same
// object, and a changed one makes it draw everything; where lines and bars alone move, a transition,
// of no time, leaves axes and words as they are.

const ARRAYS = { i1: Int8Array, i2: Int16Array, i4: Int32Array, u1: Uint8Array, u2: Uint16Array };
Object.assign(ARRAYS, { u4: Uint32Array, f4: Float32Array, f8: Float64Array });
const TICKS = ["tickvals", "ticktext", "categoryarray"];

function decoded(value) {
  if (value.bdata === undefined || value.shape) return value;
  return new ARRAYS[value.dtype](Uint8Array.from(atob(value.bdata), (letter) => letter.charCodeAt(0)).buffer);
}

// Puts the arrays of the figure before in the place of equal ones.
function keepArrays(traces, layout, before) {
  const kept = new Map();
  const keep = (holder, name, path) => {
    const value = holder[name];
    if (value === null || typeof value !== "object") return;
    if (!Array.isArray(value) && value.bdata === undefined) {
      for (const key of Object.keys(value)) keep(value, key, `${path}.${key}`);
      return;
    }
    const [text, old] = [JSON.stringify(value), before.get(path)];
    holder[name] = old?.text === text ? old.array : decoded(value);
    kept.set(path, { text, array: holder[name] });
  };
  for (const index of traces.keys()) keep(traces, index, index);
  const axes = Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
  for (const axis of axes) for (const name of TICKS) keep(layout[axis], name, `${axis}.${name}`);
  return kept;
}

// Nothing but x and y of traces differs from the figure before, and no axis has to follow them.
function onlyMoved(state, traces, layout) {
  const still = JSON.stringify([traces.map(({ x, y, ...rest }) => rest), { ...layout, editrevision: 0 }]);
  const axes = Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
  const moved = still === state.still && axes.every((name) => layout[name].range);
  state.still = still;
  return moved;
}

// The figure as Plotly.react is to have it.
function newsFor(state, figure) {
  const { meta, ...layout } = figure.layout; // Plotly draws all anew at other meta
  takeTold(state, figure.traces);
  Object.assign(state.plot, { rpnTold: state.told, rpnMeta: meta }); // for tests
  const traces = figure.traces.map((trace) => (isTold(trace) ? withoutPoints(trace) : trace));
  if (onlyMoved(state, traces, layout)) layout.transition = { duration: 0 };
  state.arrays = keepArrays(traces, layout, state.arrays ?? new Map());
  return { traces, layout };
}

// A shape that is drawn alone lands above the others; here each goes back to its place. One that is
// gone leaves an empty group.
function sortShapes(plot) {
  for (const layer of plot.querySelectorAll(".shapelayer")) {
    for (const shape of [...layer.children]) if (!shape.firstChild) shape.remove();
    const shapes = [...layer.children];
    const place = (shape) => Number(shape.dataset.index);
    if (shapes.some((shape, index) => index && place(shape) < place(shapes[index - 1]))) {
      layer.append(...shapes.sort((one, other) => place(one) - place(other)));
    }
  }
}
