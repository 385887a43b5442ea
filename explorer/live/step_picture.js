// A step of NMS on the photo: boxes in the colours of what became of them, and labels.

const CROWD = 20; // more losers than this hide the photo: thinner lines
const LABELS = 9; // more of them hide the boxes
const TRIED = 40; // losers that may get one

// Who is drawn after a step, in this order: later ones lie on top.
function paint(pen, scene, step, withGone) {
  const { decidedAt, steps, inks } = scene;
  const draw = (box, ink, width) => pen.box(...boxOf(scene, box), ink, width);
  if (withGone) decidedAt.forEach((at, box) => at && at < step && box !== steps[at][0] && draw(box, inks.past, 1));
  decidedAt.forEach((at, box) => at > step && draw(box, inks.undecided, 1));
  for (let at = scene.cap + 1; at < step; at++) draw(steps[at][0], inks.cut, 1);
  for (let at = 1; at < Math.min(step, scene.cap + 1); at++) draw(steps[at][0], inks.kept, 2);
  if (!step) return;
  const [winner, ...losers] = steps[step];
  const crowded = losers.length > CROWD;
  if (!crowded) for (const box of losers) draw(box, inks.halo, 4);
  for (const box of losers) draw(box, inks.gone, crowded ? 1.5 : 2.5);
  draw(winner, inks.halo, 7);
  draw(winner, inks.winner, 5);
}

// Labels outside a corner of their boxes, where there is room: overlapping boxes have crowded corners.
function placeLabels(layer, board, scene, step) {
  const wanted = (scene.steps[step] ?? []).slice(0, TRIED).map((box, place) => {
    return place ? [box, "iou", shortIou(scene.iou[box], scene)] : [box, "winner", `#${whole(box + 1)}`];
  });
  if (scene.follow >= 0) wanted.unshift([scene.follow, "follow", `★ #${whole(scene.follow + 1)}`]);
  const taken = [];
  const nodes = [];
  for (const [box, look, text] of wanted) {
    if (nodes.length === LABELS) break;
    const [width, height] = [14 + 9 * text.length, 24]; // as the style sheet makes them
    const [x1, y1, x2, y2] = boxOf(scene, box);
    const [left, top] = board.toBoard(x1, y1);
    const [right, bottom] = board.toBoard(x2, y2);
    const inside = ([x, y]) => [
      Math.min(Math.max(x, 0), layer.clientWidth - width),
      Math.min(Math.max(y, 0), layer.clientHeight - height),
    ];
    const corners = [[left - width, top - height], [right, top - height], [left - width, bottom], [right, bottom]];
    const apart = ([x, y]) => taken.every(([u, v, w]) => x >= u + w || u >= x + width || Math.abs(v - y) >= height);
    const free = corners.map(inside).find(apart);
    if (!free) continue;
    taken.push([...free, width]);
    const node = makeElement("span", look);
    node.textContent = text;
    node.style.transform = `translate(${free[0]}px, ${free[1]}px)`;
    nodes.push(node);
  }
  layer.replaceChildren(...nodes);
}
