// Points that nobody sees, in the middles of boxes and bands: the one nearest to the pointer tells of
// its own. Plotly is not given them: at every new figure it would draw all of them, and with them the
// axes and words, where only the shapes have changed.

const REACH = 20; // px, Plotly's own where a figure has no `hoverdistance`
const APART = 7; // px between a point and its words
const NOTHING = [null]; // a trace without a point would take its axes along

const isTold = ({ meta }) => meta === "told";
const withoutPoints = (trace) => ({ ...trace, x: NOTHING, y: NOTHING, customdata: NOTHING });

// A box above the figure, in its axes' units; no new figure is needed for that.
function outline(state, box, axes) {
  state.outline?.remove();
  state.outline = null;
  if (!box) return;
  const { xaxis, yaxis } = axes ?? state.plot._fullLayout;
  const [left, right] = [box[0], box[2]].map((x) => xaxis._offset + xaxis.l2p(x));
  const [top, bottom] = [box[1], box[3]].map((y) => yaxis._offset + yaxis.l2p(y));
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const look = { fill: "rgba(255,212,0,0.18)", stroke: "#FFD400", "stroke-width": 3, "pointer-events": "none" };
  const sides = { x: left, y: top, width: right - left, height: bottom - top };
  for (const [name, value] of Object.entries({ ...sides, ...look })) rect.setAttribute(name, value);
  state.plot.querySelector(".hoverlayer").before(rect); // above the figure's own shapes
  state.outline = rect;
}

function takeTold(state, traces) {
  state.told = traces.map((trace, number) => ({ ...trace, number })).filter(isTold);
  for (const trace of state.told) [trace.x, trace.y] = [decoded(trace.x), decoded(trace.y)];
}

function toldAt({ plot, told, layout }, event) {
  const place = plot.getBoundingClientRect();
  const [x, y] = [event.clientX - place.left, event.clientY - place.top];
  let [nearest, least] = [null, layout.hoverdistance ?? REACH];
  for (const trace of told) {
    const axisOf = (letter) => plot._fullLayout[(trace[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)];
    const [xaxis, yaxis] = [axisOf("x"), axisOf("y")];
    const [across, down] = [x - xaxis._offset, y - yaxis._offset];
    if (across < 0 || across > xaxis._length || down < 0 || down > yaxis._length) continue;
    trace.x.forEach((at, index) => {
      const away = Math.hypot(xaxis.l2p(at) - across, yaxis.l2p(trace.y[index]) - down);
      if (away > least) return;
      [nearest, least] = [{ trace, index, xaxis, yaxis }, away];
    });
  }
  return nearest;
}

function tell(state, point) {
  state.words?.remove();
  state.words = null;
  outline(state, null);
  if (!point) return;
  const { trace, index, xaxis, yaxis } = point;
  const { _fullLayout, _fullData } = state.plot;
  const { bgcolor, bordercolor, font, align } = _fullLayout.hoverlabel;
  const facts = trace.customdata[index];
  if (facts.length >= 4) outline(state, facts, point);
  const layer = state.plot.querySelector(".hoverlayer");
  const words = layer.parentNode.appendChild(layer.cloneNode());
  const middle = xaxis._offset + xaxis.l2p(trace.x[index]);
  const item = { x0: middle - APART, x1: middle + APART, y: yaxis._offset + yaxis.l2p(trace.y[index]) };
  const look = { color: bgcolor, borderColor: bordercolor, fontColor: font.color, textAlign: align };
  Object.assign(item, look, { fontFamily: font.family, fontSize: font.size, trace: _fullData[trace.number] });
  Object.assign(item, { hovertemplate: trace.hovertemplate, eventData: [{ customdata: facts }] });
  Plotly.Fx.loneHover(item, { gd: state.plot, container: words, outerContainer: _fullLayout._paper.node() });
  state.words = words;
}

function watchTold(state) {
  const listen = (kind, hear) => state.plot.addEventListener(kind, hear, { signal: state.gone.signal });
  let last = null;
  listen("mousemove", (event) => {
    const over = state.shown && !event.buttons && !event.target.closest(".modebar");
    const point = over ? toldAt(state, event) : null;
    const same = state.words?.isConnected && point?.trace === last?.trace && point?.index === last?.index;
    if (!same && (point || state.words)) tell(state, point);
    last = point;
  });
  listen("mouseleave", () => state.words && tell(state, null));
}
