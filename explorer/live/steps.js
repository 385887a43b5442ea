// NMS played as its greedy loop. Python sends every box with the step that decides it; the browser
// steps, plays and slides by itself and tells Python where it is once it rests.

const PACES = { slow: 0.7, normal: 3, fast: 30 }; // steps a second
const REST = 250; // milliseconds without another step until Python is told
const TREE_EVERY = 200; // milliseconds: a tree that changes faster only flickers

function createControls(element, { go, move, toggle }) {
  const button = (text, label, act) => {
    const made = makeElement("button", "", element);
    Object.assign(made, { textContent: text, title: label, onclick: act });
    made.setAttribute("aria-label", label);
    return made;
  };
  button("start", "Before the first step", () => go(0));
  button("◀ previous", "Previous step", () => move(-1));
  const play = button("", "", toggle);
  play.className = "play";
  button("next ▶", "Next step", () => move(1));
  button("end", "Last step", () => go(Infinity));
  const pace = makeElement("select", "", element);
  pace.setAttribute("aria-label", "Pace");
  for (const name of Object.keys(PACES)) pace.append(new Option(name, name, name === "normal", name === "normal"));
  const gone = makeElement("label", "", element);
  const withGone = Object.assign(makeElement("input", "", gone), { type: "checkbox" });
  gone.append("gone boxes too");
  const slider = Object.assign(makeElement("input", "", element), { type: "range", min: 0, step: 1 });
  slider.setAttribute("aria-label", "Step");
  slider.oninput = () => go(Number(slider.value));
  const showPlay = (playing) => {
    play.textContent = playing ? "⏸ pause" : "▶ play";
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
  };
  showPlay(false);
  return { pace, withGone, slider, showPlay };
}

function createLoop(root) {
  const loop = { scene: null, step: 0, given: -1, playing: 0, send: () => {} };
  const left = makeElement("div", "left", root);
  const key = makeElement("div", "rpn-step-key", left);
  const board = createBoard(makeElement("div", "", left), { onPointer: point, onPick: pick, onKey: press });
  const labels = makeElement("div", "labels", board.element);
  const right = makeElement("div", "right", root);
  const sentence = makeElement("p", "sentence", right);
  const tree = createTree(makeElement("div", "tree", right), { onHover: hover, onPick: tell("pick"), onStep: go });
  const controls = createControls(makeElement("div", "controls", left), { go, move, toggle });
  controls.withGone.onchange = () => show();
  let treeAt = 0; // when the tree was drawn
  let resting = 0; // the timer until Python is told

  function tell(name) {
    return (value) => value >= 0 && loop.send(name, value);
  }

  function show(now = performance.now()) {
    const { scene } = loop;
    const step = loop.step;
    board.draw((pen) => {
      paint(pen, scene, step, controls.withGone.checked);
      placeLabels(labels, board, scene, step);
    });
    sentence.textContent = sentenceOf(scene, step);
    controls.slider.max = scene.last;
    controls.slider.value = step;
    showKey(scene, step);
    const follow = scene.follow >= 0 ? boxOf(scene, scene.follow) : null;
    const decided = scene.decidedAt[scene.follow];
    const isGone = follow && decided <= step && scene.steps[decided][0] !== scene.follow;
    board.mark("follow", follow, isGone ? "follow gone" : "follow");
    root.dataset.step = step; // for tests: this step is on the screen
    if (loop.playing && now - treeAt < TREE_EVERY) return;
    treeAt = now;
    tree.show(scene, step);
  }

  function showKey(scene, step) {
    const left = scene.all - step - scene.gone[step];
    const kept = Math.max(0, Math.min(step - 1, scene.cap));
    const now = step ? scene.steps[step].length - 1 : 0;
    const parts = [
      ["winner", "winner"],
      ["gone", `goes now: ${whole(now)}`],
      ["kept", `kept: ${whole(kept)}`],
      ["undecided", `undecided: ${whole(left)}`],
      ["past", `gone: ${whole(scene.gone[step] - now)}`],
    ];
    if (step - 1 > scene.cap) parts.splice(3, 0, ["cut", `over the cap: ${whole(step - 1 - scene.cap)}`]);
    const entry = ([name, text]) => {
      const words = makeElement("span", "");
      makeElement("i", name, words);
      words.append(text);
      return words;
    };
    key.replaceChildren(...parts.map(entry));
  }

  // Wherever the reader goes by hand, the playing ends there.
  function go(step) {
    halt();
    loop.step = Math.min(Math.max(step, 0), loop.scene.last);
    show();
    clearTimeout(resting);
    resting = setTimeout(() => loop.send("step", loop.step), REST);
  }

  function move(by) {
    go(loop.step + by);
  }

  function halt() {
    cancelAnimationFrame(loop.playing);
    loop.playing = 0;
    controls.showPlay(false);
  }

  function toggle() {
    if (loop.playing) return go(loop.step);
    if (loop.step === loop.scene.last) loop.step = 0;
    let [from, since, pace] = [loop.step, performance.now(), controls.pace.value];
    clearTimeout(resting);
    controls.showPlay(true);
    const beat = (now) => {
      if (controls.pace.value !== pace) [from, since, pace] = [loop.step, now, controls.pace.value];
      const due = from + Math.floor(((now - since) / 1000) * PACES[pace]);
      if (due >= loop.scene.last) return go(due);
      if (due > loop.step) {
        loop.step = due;
        show(now);
      }
      loop.playing = requestAnimationFrame(beat);
    };
    loop.playing = requestAnimationFrame(beat);
  }

  function hover(box) {
    board.mark("hover", box >= 0 ? boxOf(loop.scene, box) : null);
  }

  // The smallest box under the pointer among those that are drawn.
  function boxAt(x, y) {
    const { scene, step } = loop;
    let [best, least] = [-1, Infinity];
    scene.decidedAt.forEach((at, box) => {
      if (!at || (at < step && scene.steps[at][0] !== box && !controls.withGone.checked)) return;
      const [x1, y1, x2, y2] = boxOf(scene, box);
      const area = (x2 - x1) * (y2 - y1);
      if (x >= x1 && x <= x2 && y >= y1 && y <= y2 && area < least) [best, least] = [box, area];
    });
    return best;
  }

  function point(x, y) {
    hover(x === null ? -1 : boxAt(x, y));
  }

  function pick(x, y) {
    tell("pick")(boxAt(x, y));
  }

  function press({ key }) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (key === " ") toggle();
    else if (by && board.view.zoom === 1) move(by);
    else return false;
    return true;
  }

  loop.take = (scene) => {
    loop.scene = scene;
    scene.inks = {};
    for (const [name, [colour, opacity]] of Object.entries(scene.strokes)) {
      scene.inks[name] = inkOf(colour, opacity);
      root.style.setProperty(`--${name}`, colour);
    }
    root.style.setProperty("--rpn-accent", scene.strokes.winner[0]);
    const moved = scene.given !== loop.given; // by a link or by opening the page, not from here
    loop.given = scene.given;
    loop.step = Math.min(moved ? scene.step : loop.step, scene.last);
    board.setPhoto(scene.photo, ...scene.size);
    board.setLabel(`NMS step by step over ${boxes(scene.all)}`);
    root.classList.toggle("empty", !scene.all);
    treeAt = 0;
    show();
    root.dataset.revision = (Number(root.dataset.revision) || 0) + 1; // for tests: this scene stands
  };
  loop.remove = () => {
    halt();
    clearTimeout(resting);
    board.remove();
  };
  return loop;
}

const loops = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".rpn-steps");
  let loop = loops.get(root);
  if (!loop) loops.set(root, (loop = createLoop(root)));
  loop.send = setTriggerValue;
  const take = (bytes) => {
    loop.take(unpack(bytes));
    loop.bytes = bytes;
  };
  rpnAhead.whole(root, data, (bytes) => {
    rpnAhead.add(root, take);
    if (bytes === loop.bytes) rpnAhead.forget(root); // it came ahead
    else rpnAhead.after(root, () => take(bytes));
  });
  return () => setTimeout(() => root.isConnected || loop.remove());
}
