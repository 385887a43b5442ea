// Plotly in a component that stays mounted: a new figure is a Plotly.react on the same node, so the
// photo, the zoom and the pointer's place stay while a slider moves. The figure comes as JSON bytes;
// one that is on the screen already is not drawn again.

const PLOTLY = "/vendor/plotly.min.js";

function loadPlotly() {
  window.rpnPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = PLOTLY;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("Plotly did not load"));
    document.head.append(script);
  });
  return window.rpnPlotly;
}

function coloursOf(element) {
  const style = getComputedStyle(element);
  const colour = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  return {
    text: colour("--st-text-color", "#31333f"),
    faint: colour("--st-border-color", "rgba(128,128,128,0.3)"),
    ground: colour("--st-background-color", "#ffffff"),
    family: colour("--st-font", "sans-serif"),
  };
}

// Text and lines take the page's colours, so that one figure serves light and dark.
function dress(layout, { text, faint, ground, family }) {
  layout.font = { ...layout.font, color: text, family };
  layout.hoverlabel = {
    ...layout.hoverlabel,
    bgcolor: ground,
    bordercolor: faint,
    font: { ...layout.hoverlabel?.font, color: text, family },
  };
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: faint, activecolor: text };
  const axes = Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
  for (const axis of new Set(["xaxis", "yaxis", ...axes])) {
    layout[axis] = { gridcolor: faint, zerolinecolor: faint, linecolor: faint, ...layout[axis] };
    // Where the margin makes room for the labels, measuring each of them finds none that is cut off.
    if (layout[axis].automargin) layout[axis].ticklabeloverflow = "allow";
  }
  if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
}

function sizeOf({ meta, margin }, width) {
  if (meta.height) return meta.height;
  const { l, r, t, b } = margin;
  return Math.round(Math.min((width - l - r) * meta.aspect, Math.max(280, innerHeight * 0.78)) + t + b);
}

function resize(state) {
  const width = state.plot.clientWidth;
  if (!state.shown || !width || width === state.width) return;
  state.width = width;
  Plotly.relayout(state.plot, { width, height: sizeOf(state.layout, width) });
}

// A rectangle that the reader dragged comes as one more shape; the next figure shows what it became.
function reportDrawn(state, event) {
  if (!state.layout.meta.draws || !(event.shapes?.length > state.shapes)) return;
  const { x0, y0, x1, y1 } = event.shapes.at(-1);
  state.send("draw", [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)]);
}

// A press and release on the same spot is a click there, in the axes' own units.
function watchClicks(state) {
  let pressed = null;
  state.plot.addEventListener("pointerdown", (event) => (pressed = [event.clientX, event.clientY]), true);
  state.plot.addEventListener("pointerup", (event) => finish(event), true);
  window.addEventListener("pointerup", (event) => finish(event), { capture: true, signal: state.gone.signal });
  function finish(event) {
    if (!pressed || !state.layout.meta.clicks) return;
    const [x, y] = pressed;
    pressed = null;
    if (Math.hypot(event.clientX - x, event.clientY - y) > 4) return;
    const place = state.plot.getBoundingClientRect();
    const { xaxis, yaxis } = state.plot._fullLayout;
    const at = { x: xaxis.p2l(x - place.left - xaxis._offset), y: yaxis.p2l(y - place.top - yaxis._offset) };
    const inside = (axis, value) => value >= Math.min(...axis.range) && value <= Math.max(...axis.range);
    if (inside(xaxis, at.x) && inside(yaxis, at.y)) state.send("click", at);
  }
}

// A page that needs no server: Plotly's script, the photo and the figure in one file.
async function savePage(state) {
  const script = await (await fetch(PLOTLY)).text();
  const images = (state.layout.images ?? []).map(async (image) => ({ ...image, source: await asDataUrl(image.source) }));
  const layout = { ...state.layout, images: await Promise.all(images), paper_bgcolor: getComputedStyle(document.body).backgroundColor };
  const text = (value) => JSON.stringify(value).replaceAll("</", "<\\/");
  const { data } = JSON.parse(state.text); // with the points that Plotly was not given
  const parts = ["<!doctype html><meta charset='utf-8'><script>", script, "</script><div id='figure'></div><script>"];
  parts.push(`Plotly.newPlot("figure", ${text(data)}, ${text(layout)});</script>`);
  save(`${state.name}.html`, new Blob(parts, { type: "text/html" }));
}

// One for the life of the plot: Plotly.react draws anew, and loses the zoom, where this differs.
function configure(state, Plotly) {
  const icon = Plotly.Icons.disk;
  const image = (format, scale) => () => Plotly.downloadImage(state.plot, { format, scale, filename: state.name });
  return {
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "toImage"],
    modeBarButtonsToAdd: [
      { name: "png", title: "Download as PNG", icon: Plotly.Icons.camera, click: image("png", 2) },
      { name: "svg", title: "Download as SVG", icon, click: image("svg", 1) },
      { name: "html", title: "Download as HTML", icon, click: () => savePage(state) },
    ],
  };
}

// A new figure out of sight is drawn once it comes to sight: it would hold up those that are seen.
function watchSight(state) {
  state.sight = new IntersectionObserver((entries) => {
    state.seen = entries.at(-1).isIntersecting;
    if (state.seen) draw(state);
  });
  state.sight.observe(state.plot);
}

async function draw(state) {
  const { plot, traces, layout, revision } = state;
  const Plotly = await loadPlotly();
  if (revision !== state.revision || revision === state.drawn || !plot.isConnected) return; // a newer one has come
  state.drawn = revision;
  state.width = plot.clientWidth;
  layout.width = state.width;
  layout.height = sizeOf(layout, state.width);
  if (layout.title) layout.title.font = { size: Math.min(20, state.width / 24) }; // fits a phone
  for (const { name, font } of layout.annotations ?? []) {
    if (name === "title") font.size = Math.min(font.size, state.width / 28); // one of two side by side
  }
  layout.editrevision = revision; // unlike the zoom, a dragged rectangle goes: the new figure has it
  tell(state, null);
  state.config ??= configure(state, Plotly);
  const news = newsFor(state, { traces, layout });
  await Plotly.react(plot, news.traces, news.layout, state.config);
  sortShapes(plot);
  if (!state.shown) {
    plot.on("plotly_relayout", (event) => {
      tell(state, null);
      reportDrawn(state, event);
    });
  }
  state.shown = true;
  plot.dataset.revision = revision; // for tests: this figure is on the screen
}

// Shapes and words moved without the server; when it sends the figure that they make, that is no news.
function move(state, change) {
  if (!state.shown || state.drawn !== state.revision) return;
  const figure = JSON.parse(state.text);
  change(figure.layout);
  const text = JSON.stringify(figure);
  if (text === state.text) return;
  state.text = text;
  const { shapes, annotations } = figure.layout;
  Plotly.relayout(state.plot, { shapes, annotations });
  sortShapes(state.plot);
}

// Whether this figure is on the screen already, in the same colours.
function isShown(state, text, look) {
  return text === state.text && look === state.look && state.drawn === state.revision;
}

function repeat(state) {
  rpnAhead.forget(state.plot);
  state.drawn = ++state.revision;
  state.plot.dataset.revision = state.revision;
}

function take(state, { data: traces, layout }, colours) {
  const { plot } = state;
  Object.assign(state, { traces, layout, shapes: layout.shapes?.length ?? 0 });
  state.name = fileName(layout.title?.text || layout.meta.alt || "");
  dress(layout, colours);
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", layout.meta.alt ?? "");
  plot.style.minHeight = `${sizeOf(layout, plot.clientWidth)}px`; // nothing below jumps
  if (state.seen || !state.shown) return draw(state);
}

function receive(state, bytes, when = (act) => act()) {
  const figure = JSON.parse(new TextDecoder().decode(bytes));
  const colours = coloursOf(state.plot);
  const [text, look] = [JSON.stringify(figure), JSON.stringify(colours)];
  if (figure.layout.meta.ahead) rpnAhead.add(state.plot, (newer) => receive(state, newer));
  if (isShown(state, text, look)) return repeat(state);
  return when(() => {
    Object.assign(state, { text, look, revision: state.revision + 1 });
    return take(state, figure, colours);
  });
}

const states = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const plot = parentElement.querySelector(".rpn-plot");
  let state = states.get(plot);
  if (!state) {
    state = { plot, width: 0, revision: 0, gone: new AbortController() };
    states.set(plot, state);
    state.observer = new ResizeObserver(() => resize(state));
    state.observer.observe(plot);
    watchSight(state);
    watchClicks(state);
    watchTold(state);
    watchDrags(state);
    plot.rpnMove = (change) => move(state, change); // for a component beside it
  }
  state.send = setTriggerValue;
  const inTurn = (act) => (state.layout ? rpnAhead.after(plot, act) : act());
  rpnAhead.whole(plot, data, (bytes) => receive(state, bytes, inTurn));

  return () =>
    setTimeout(() => {
      if (plot.isConnected) return; // called again with new data, not taken away
      state.observer.disconnect();
      state.sight.disconnect();
      state.gone.abort();
      if (state.shown) window.Plotly.purge(plot);
    });
}
