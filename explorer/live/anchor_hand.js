// What the Anchors page's picture and its table of levels have in common. Each computes what it shows
// from the settings and from the slider in hand, so both follow the finger; Streamlit's own slider
// tells Python on release, and what comes back then is the same.

// The sliders' keys in explorer/pages/_levels.py, and their names in the page.
const SLIDERS = Object.fromEntries(
  ["size base", "size multiplier", "anchors.offset"]
    .concat(...[0, 1, 2, 3, 4, 5, 6, 7].map((level) => [`size ${level}`, `stride ${level}`]))
    .concat([...Array(16).keys()].map((place) => `ratio ${place}`))
    .map((key) => [key, key.replace(/[ .]/g, "-")]),
);

// The slider that the finger or the keyboard is on: both give it the focus.
function sliderInHand() {
  const holder = document.activeElement?.closest("[class*=st-key-]");
  return Object.keys(SLIDERS).find((key) => holder?.classList.contains(`st-key-${SLIDERS[key]}`));
}

// Keeps `state.moved`: what the slider in hand says since it moved, by its key.
function watchSliders(state) {
  const take = (values) => {
    const key = sliderInHand();
    const keys = /^size [bm]/.test(key) ? ["size base", "size multiplier"] : [key]; // one means both
    state.moved = Object.fromEntries(keys.filter((each) => each in values).map((each) => [each, values[each]]));
    state.redraw();
  };
  const sliders = followSliders(SLIDERS, take);
  // Let go where it was taken up, a slider tells Python nothing, and nothing comes back.
  const letGo = () => setTimeout(() => !sliderInHand() && take({}), 500);
  document.addEventListener("focusout", letGo);
  state.settle = () => take(sliderInHand() in state.moved ? sliders.values() : {});
  state.stop = () => {
    sliders.stop();
    document.removeEventListener("focusout", letGo);
  };
}

// All that is shown, as it will be when the finger lets go. A level's own slider shows that level.
function lay({ data, moved }) {
  const anchors = withSliders(data.anchors, moved);
  const levels = layLevels(anchors, data.image);
  const [, place] = (Object.keys(moved)[0] ?? "").match(/^(?:size|stride) (\d)$/) ?? [];
  const level = levels[place] ?? levels[data.level];
  const total = levels.reduce((sum, { count }) => sum + count, 0);
  return { anchors, levels, level, total, moving: level.place !== data.level };
}

// New content, where it is new: the same again would cost the browser a layout a frame.
function put(element, html) {
  if (element.rpnHtml !== html) element.innerHTML = element.rpnHtml = html;
}

const pickFrom = (colours, place) => colours[place % colours.length];
const grouped = (number) => number.toLocaleString("en-US");

const states = new WeakMap();

// What is kept for a place on the page while new data come, and on a change of theme.
function stateOf(root, mount) {
  let state = states.get(root);
  if (!state) {
    state = { root, moved: {} };
    states.set(root, state);
    mount(state);
    watchSliders(state);
  }
  return state;
}

// What Streamlit calls before new data too, when nothing must go.
function whenGone(state, leave = () => {}) {
  return () =>
    setTimeout(() => {
      if (state.root.isConnected) return;
      state.stop();
      leave();
    });
}
