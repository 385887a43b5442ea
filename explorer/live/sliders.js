// The sliders beside a live canvas, read while the finger still moves: see board.js.

// Streamlit commits a slider on release, but its input's attribute follows the finger. Inputs may be
// mounted anew at any rerun: each is looked up again once it has left the page.
function followSliders(names, onChange) {
  const inputs = {};
  const selector = (name) => `.st-key-${CSS.escape(name)} input[type=range]`;
  const find = (key) => {
    if (!inputs[key]?.isConnected) inputs[key] = document.querySelector(selector(names[key]));
    return inputs[key];
  };
  // A value between two steps of its slider (1000 where it goes 1, 11, 21) reads as the nearest step.
  const read = (key, known) => {
    const input = find(key);
    const value = parseFloat(input?.getAttribute("value"));
    const [least, step] = [parseFloat(input?.min), parseFloat(input?.step)];
    const nearest = least + Math.round((known - least) / step) * step;
    return !Number.isFinite(value) || Math.abs(nearest - value) < step / 2 ? known : value;
  };
  const values = (known = {}) => {
    const found = Object.keys(names).map((key) => [key, read(key, known[key])]);
    return { ...known, ...Object.fromEntries(found.filter(([, value]) => value !== undefined)) };
  };
  const all = Object.values(names).map(selector).join();
  const observer = new MutationObserver((changes) => {
    if (changes.some(({ target }) => all && target.matches(all))) onChange(values());
  });
  observer.observe(document.body, { subtree: true, attributeFilter: ["value"] });
  return { values, stop: () => observer.disconnect() };
}
