// One step of NMS as a tree: the winner is a root, whom it suppresses are its leaves, best first, with
// the IoU on each branch. The winners just before it stand above, folded, with how many they took.
//
//   createTree(element, {onHover(box), onPick(box), onStep(step)})   boxes are ranks from 0
//     tree.show(scene, step)            scene as steps.js unpacks it

const FOLDED = 4; // earlier winners shown
const LEAVES = 120; // more of them are counted

function row(tag, className, cells, data) {
  const element = makeElement(tag, className);
  Object.assign(element.dataset, data);
  for (const [name, text] of Object.entries(cells)) {
    makeElement("span", name, element).textContent = text;
  }
  return element;
}

function createTree(element, { onHover, onPick, onStep }) {
  element.setAttribute("role", "list");
  const hit = (event, name) => event.target.closest("button")?.dataset[name];
  element.addEventListener("pointerover", (event) => onHover(Number(hit(event, "box") ?? -1)));
  element.addEventListener("pointerleave", () => onHover(-1));
  element.addEventListener("click", (event) => {
    const [step, box] = [hit(event, "step"), hit(event, "box")];
    if (step !== undefined) onStep(Number(step));
    else if (box !== undefined) onPick(Number(box));
  });

  const facts = (scene, box) => ({
    rank: `#${whole(box + 1)}`,
    score: short(scene.scores[box]),
    level: scene.levels[scene.level[box]],
  });

  // Rows that stay as they are keep their nodes: one may be pressed just now, or have the focus.
  function put(rows) {
    rows.forEach((row, place) => {
      const there = element.children[place];
      if (!there) element.append(row);
      else if (!there.isEqualNode(row)) there.replaceWith(row);
    });
    while (element.children.length > rows.length) element.lastChild.remove();
  }

  function show(scene, step) {
    const rows = [];
    const hidden = Math.max(0, step - 1 - FOLDED);
    if (hidden) {
      const text = `${whole(hidden)} earlier winners, ${whole(scene.gone[hidden])} gone`;
      rows.push(row("div", "past rest", { text }, {}));
    }
    for (let past = hidden + 1; past < step; past++) {
      const [winner, ...losers] = scene.steps[past];
      const count = losers.length ? `${whole(losers.length)} gone` : "none";
      rows.push(row("button", past > scene.cap ? "past cut" : "past", { ...facts(scene, winner), count }, { step: past, box: winner }));
    }
    if (step) {
      const [winner, ...losers] = scene.steps[step];
      rows.push(row("button", "now", { ...facts(scene, winner), count: "wins" }, { box: winner }));
      for (const box of losers.slice(0, LEAVES)) {
        const iou = `IoU ${shortIou(scene.iou[box], scene)}`;
        const leaf = row("button", "leaf", { iou, ...facts(scene, box) }, { box });
        leaf.classList.toggle("followed", box === scene.follow);
        rows.push(leaf);
      }
      if (losers.length > LEAVES) {
        rows.push(row("div", "leaf rest", { text: `and ${whole(losers.length - LEAVES)} more` }, {}));
      }
      if (!losers.length) rows.push(row("div", "leaf rest", { text: "nobody" }, {}));
    }
    put(rows);
    element.scrollTop = 0;
  }
  return { show };
}
