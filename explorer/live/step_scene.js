// What Python sends for NMS played step by step, and a step in words.

const short = (value) => (value >= 1 ? "1" : value.toFixed(3).slice(1)); // .934
// An IoU over the threshold, in as many decimals as show that it is.
const shortIou = (iou, { threshold }) => {
  for (let digits = 3; digits < 8; digits++) {
    const text = iou.toFixed(digits);
    if (iou < 1 && Number(text) > threshold) return text.replace(/^0/, "");
  }
  return short(iou);
};
const whole = (count) => count.toLocaleString("en");

function unpack(data) {
  const buffer = new Uint8Array(data).slice().buffer;
  const length = new DataView(buffer).getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  const next = (kind, count) => {
    const part = new kind(buffer, at, count);
    at += part.byteLength;
    return part;
  };
  const { count } = scene;
  scene.scores = next(Float32Array, count);
  scene.iou = next(Float32Array, count); // of a loser with its winner
  scene.boxes = Float32Array.from(next(Int16Array, 4 * count), (eighths) => eighths / 8);
  scene.decidedAt = next(Uint16Array, count); // 0: not in the loop
  scene.level = next(Uint8Array, count);
  // Boxes stand best first: the first one that a step decides is its winner, the others lose to it.
  scene.steps = Array.from({ length: scene.last + 1 }, () => []);
  scene.decidedAt.forEach((step, box) => step && scene.steps[step].push(box));
  scene.gone = [0]; // after each step
  for (const decided of scene.steps.slice(1)) scene.gone.push(scene.gone.at(-1) + decided.length - 1);
  scene.all = scene.last + scene.gone.at(-1);
  return scene;
}

const boxOf = (scene, box) => scene.boxes.subarray(4 * box, 4 * box + 4);
const boxes = (count) => `${whole(count)} box${count === 1 ? "" : "es"}`;

function sentenceOf(scene, step) {
  if (!scene.all) return "No candidate reaches NMS: every box was dropped before, as too small or by its score.";
  if (!step) return `Before the first step ${boxes(scene.all)} are undecided. Press next: the best score goes first.`;
  const [winner, ...losers] = scene.steps[step];
  const level = scene.levels[scene.level[winner]];
  const words = [`Step ${whole(step)}: box #${whole(winner + 1)} (score ${short(scene.scores[winner])}, ${level}) wins.`];
  const ious = losers.map((box) => scene.iou[box]);
  const [low, high] = [Math.min(...ious), Math.max(...ious)].map((iou) => shortIou(iou, scene));
  if (losers.length) words.push(`It suppresses ${boxes(losers.length)}, IoU ${low === high ? low : `${low} to ${high}`}.`);
  else words.push(`No undecided box overlaps it by more than ${scene.threshold}: nobody goes.`);
  if (step > scene.cap) words.push(`As survivor number ${whole(step)} it is cut by the cap of ${whole(scene.cap)}.`);
  const left = scene.all - step - scene.gone[step];
  if (left) words.push(`${whole(left)} undecided ${left === 1 ? "is" : "are"} left.`);
  else words.push(`That was the last step: ${boxes(step)} survive, ${whole(scene.gone[step])} went.`);
  return words.join(" ");
}
